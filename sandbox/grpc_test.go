//go:build unix

package sandbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"sigs.k8s.io/yaml"

	"github.com/mesh-split/mesh-split/sandbox"
)

// health is one version of a real gRPC service, counting its calls.
type health struct {
	grpc_health_v1.UnimplementedHealthServer
	version string
	broken  atomic.Bool
	calls   atomic.Uint64
	port    int
	server  *grpc.Server
}

func (h *health) Check(ctx context.Context, _ *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	h.calls.Add(1)
	if err := grpc.SetHeader(ctx, metadata.Pairs("x-app-version", h.version)); err != nil {
		return nil, err
	}
	if h.broken.Load() {
		return nil, status.Error(codes.Unavailable, "broken on purpose")
	}
	return &grpc_health_v1.HealthCheckResponse{Status: grpc_health_v1.HealthCheckResponse_SERVING}, nil
}

func serveHealth(t *testing.T, version string) *health {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &health{version: version, port: l.Addr().(*net.TCPAddr).Port, server: grpc.NewServer()}
	grpc_health_v1.RegisterHealthServer(h.server, h)
	done := make(chan error, 1)
	go func() { done <- h.server.Serve(l) }()
	t.Cleanup(func() {
		h.server.Stop()
		if err := <-done; err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			t.Error(err)
		}
	})
	return h
}

// apply makes objects of Istio and takes them away when the test ends.
func apply(t *testing.T, s *sandbox.Sandbox, resource, text string) {
	t.Helper()
	var object unstructured.Unstructured
	if err := yaml.Unmarshal([]byte(text), &object.Object); err != nil {
		t.Fatal(err)
	}
	client, err := dynamic.NewForConfig(config(t, s, sandbox.Context))
	if err != nil {
		t.Fatal(err)
	}
	objects := client.Resource(schema.GroupVersionResource{Group: "networking.istio.io", Version: "v1", Resource: resource}).Namespace("default")
	if _, err := objects.Create(t.Context(), &object, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // the test's own context has ended by then
		if err := objects.Delete(context.Background(), object.GetName(), metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			t.Error(err)
		}
	})
}

// endpoints says whether a gateway's Envoy knows where a version is.
func endpoints(t *testing.T, g sandbox.Gateway, h *health) bool {
	t.Helper()
	response, err := http.Get(g.AdminURL + "/clusters")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	clusters, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Contains(clusters, fmt.Appendf(nil, "|health-%s.grpc.example::127.0.0.1:%d::", h.version, h.port))
}

// gRPC through Envoy: the split is judged by labelled headers and every count is the services' own; and a version that says 200
// to HTTP and UNAVAILABLE to gRPC is found. Where a service is gone Envoy replies itself, to HTTP with 200 again: no version did.
func TestGRPCThroughEnvoy(t *testing.T) {
	v1, v2 := serveHealth(t, "v1"), serveHealth(t, "v2")
	for _, h := range []*health{v1, v2} {
		apply(t, shared, "serviceentries", fmt.Sprintf(`
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: health-%[1]s}
spec:
  hosts: [health-%[1]s.grpc.example]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 80, name: grpc, protocol: GRPC}]
  endpoints: [{address: 127.0.0.1, ports: {grpc: %[2]d}}]
`, h.version, h.port))
	}
	apply(t, shared, "virtualservices", `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: health}
spec:
  hosts: [health.grpc.example]
  gateways: [app-gateway]
  http:
  - match: [{uri: {prefix: /grpc.health.v1.Health/}}]
    route:
    - {destination: {host: health-v1.grpc.example}, weight: 70}
    - {destination: {host: health-v2.grpc.example}, weight: 30}
`)
	call := func(args ...string) (verdict, int) {
		return meshVerify(t, append([]string{shared.GatewayURL(), "--grpc", "--host", "health.grpc.example", "--streams", "5"}, args...)...)
	}
	for _, g := range shared.Gateways() { // load tells only of those that its connections happen to reach
		eventually(t, g.Pod+" routes gRPC to both services", func() bool {
			routes, _, err := sandbox.ReadRoutes(t.Context(), g.AdminURL)
			return err == nil && len(routes.MadeOf("default/health")) > 0 && endpoints(t, g, v1) && endpoints(t, g, v2)
		})
	}
	for _, row := range []struct {
		what   string
		change func()
		want   string
		code   string
		status string // a grpc-status that must be among the replies
	}{
		{"all is well", func() {}, "PASS", "", "0"},
		{"v2 says UNAVAILABLE", func() { v2.broken.Store(true) }, "FAIL", "errors", "14"},
	} {
		row.change()
		first, second := v1.calls.Load(), v2.calls.Load()
		v, exit := call("--expect", "v1=70,v2=30", "--rate", "2000", "--tolerance", "5%") // an unlucky draw is no fault of gRPC
		first, second = v1.calls.Load()-first, v2.calls.Load()-second
		if v.Verdict != row.want || row.code != "" && v.Reasons[0].Code != row.code || v.GRPCStatuses[row.status] == 0 {
			t.Errorf("%s: %s with status %d, want %s %s: %+v", row.what, v.Verdict, exit, row.want, row.code, v)
		}
		if len(v.Versions) != 2 || v.Versions[0].Requests != first || v.Versions[1].Requests != second || v.Requests.Sent != first+second || v.Unattributed != 0 {
			t.Errorf("%s: %+v, but the services counted %d and %d", row.what, v, first, second)
		}
		if failed := v.Versions[1].Errors; v2.broken.Load() && failed != second {
			t.Errorf("%s: %d errors of v2, the service made %d", row.what, failed, second)
		}
	}
	v2.server.Stop()
	first := v1.calls.Load()
	v, exit := call("--expect", "v1=70,v2=30", "--rate", "1000", "--max-requests", "1000")
	first = v1.calls.Load() - first
	if v.Verdict == "PASS" || v.Versions[0].Requests != first || v.Outcomes["gateway"] == 0 || v.Outcomes["gateway"]+first != v.Requests.Sent {
		t.Errorf("v2 is gone: %s with status %d, v1 counted %d: %+v", v.Verdict, exit, first, v)
	}
}
