//go:build unix

package plugintest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/mesh-split/mesh-split/sandbox"
	"github.com/mesh-split/mesh-split/sandbox/internal/cluster"
	"github.com/mesh-split/mesh-split/sandbox/internal/envoy"
	"github.com/mesh-split/mesh-split/sandbox/internal/kubelet"
	"github.com/mesh-split/mesh-split/sandbox/internal/ports"
	"github.com/mesh-split/mesh-split/sandbox/internal/process"
)

// ingress is one more gateway, as the corpus draws it: pod istio-ingress/ing-1 with label istio=ingress, on a node of its own, so
// that a port-forward to it goes the whole way. It speaks delta xDS, as Istio's own proxies do; the sandbox's gateways do not.
type ingress struct {
	world
	port   int    // its Envoy's for port 80 of a Gateway, as the Service says
	marker int    // its Envoy's for the Gateway that tells when istiod has pushed
	admin  string // URL
	pushes int
	take   func() int // a free port

	revision string // of the istiod that feeds it, as the pod's annotation says; "" says nothing
	xds      int    // that istiod's port; 0 is the sandbox's own
}

const (
	ingressNamespace = "istio-ingress"
	ingressPod       = "ing-1"
	ingressNode      = "corpus"
)

// fed starts the istiod that feeds the gateway, where that is not the sandbox's own.
func startIngress(t *testing.T, fed ...func(in *ingress)) *ingress {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	cache = filepath.Join(cache, "mesh-split")
	pool, err := ports.NewPool(filepath.Join(cache, "ports"), rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Release)
	take := func() int {
		port, err := pool.Take(ports.Plain)
		if err != nil {
			t.Fatal(err)
		}
		return port
	}
	in := &ingress{world: newWorld(t), port: take(), marker: take(), take: take}
	for _, start := range fed {
		start(in)
	}
	admin, node, secure := take(), take(), take()
	in.admin = fmt.Sprintf("http://127.0.0.1:%d", admin)
	in.serveNode(node, fmt.Sprintf("127.0.0.1:%d", admin))
	in.objects(node, secure)
	program, err := envoy.Search{Env: os.Getenv("ENVOY"), Cache: cache, Say: t.Logf}.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "ing-1.yaml")
	if err := os.WriteFile(config, in.bootstrap(admin), 0o600); err != nil {
		t.Fatal(err)
	}
	child, err := process.NewStarter().Start(process.Spec{Name: ingressPod, Path: program, Args: envoy.Gateway{}.Args(config), Dir: dir, Log: filepath.Join(dir, "log")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = child.Stop(context.Background(), 0) })
	eventually(t, func() string {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", admin))
		if err != nil {
			return err.Error()
		}
		conn.Close()
		return ""
	})
	in.pushed()
	return in
}

// bootstrap is the sandbox's own gateway's, with another name, and with delta xDS.
func (in *ingress) bootstrap(admin int) []byte {
	data, err := os.ReadFile(filepath.Join(shared.Dir(), "envoy", shared.Gateways()[0].Pod+".yaml"))
	if err != nil {
		in.Fatal(err)
	}
	var b object
	if err := yaml.Unmarshal(data, &b); err != nil {
		in.Fatal(err)
	}
	node := b["node"].(object)
	node["id"], node["cluster"] = "router~127.0.0.1~"+ingressPod+"."+ingressNamespace+"~"+ingressNamespace+".svc.cluster.local", "ing."+ingressNamespace
	meta := node["metadata"].(object)
	meta["NAMESPACE"], meta["NAME"], meta["LABELS"] = ingressNamespace, ingressPod, object{"istio": "ingress"}
	b["dynamic_resources"].(object)["ads_config"].(object)["api_type"] = "DELTA_GRPC"
	b["admin"].(object)["address"].(object)["socket_address"].(object)["port_value"] = admin
	if in.xds != 0 {
		endpoints := b["static_resources"].(object)["clusters"].([]any)[0].(object)["load_assignment"].(object)["endpoints"].([]any)
		endpoint := endpoints[0].(object)["lb_endpoints"].([]any)[0].(object)["endpoint"].(object)
		endpoint["address"].(object)["socket_address"].(object)["port_value"] = in.xds
	}
	if data, err = yaml.Marshal(b); err != nil {
		in.Fatal(err)
	}
	return data
}

// serveNode serves the node of the pod: its port 15000 is the Envoy's admin port.
func (in *ingress) serveNode(port int, admin string) {
	pki := filepath.Join(shared.Dir(), "pki")
	certificate, err := tls.LoadX509KeyPair(filepath.Join(pki, "kubelet.crt"), filepath.Join(pki, "kubelet.key"))
	if err != nil {
		in.Fatal(err)
	}
	authority, err := os.ReadFile(filepath.Join(pki, "ca.crt"))
	if err != nil {
		in.Fatal(err)
	}
	clients := x509.NewCertPool()
	clients.AppendCertsFromPEM(authority)
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		in.Fatal(err)
	}
	handler := kubelet.Handler(func(t kubelet.Target) (string, bool) {
		return admin, t == kubelet.Target{Namespace: ingressNamespace, Pod: ingressPod, Port: 15000}
	})
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- kubelet.Serve(ctx, listener, certificate, clients, handler) }()
	in.Cleanup(func() {
		cancel()
		<-served
	})
}

// objects are those that every case of the corpus shares; they stay until the end of the test.
func (in *ingress) objects(node, secure int) {
	own := func(text string, args ...any) { in.create(read(in, fmt.Sprintf(text, args...))) }
	for _, namespace := range []string{ingressNamespace, "shop", "prod", "stage", "team", "other", "argocd"} {
		in.put(read(in, "{apiVersion: v1, kind: Namespace, metadata: {name: "+namespace+"}}")) // nobody here finishes the deletion of one
	}
	for _, kind := range []string{"Rollout", "Application"} {
		plural := strings.ToLower(kind) + "s"
		own(`{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: %[1]s.argoproj.io}, spec: {group: argoproj.io, scope: Namespaced,
			names: {kind: %[2]s, plural: %[1]s, singular: %[3]s, listKind: %[2]sList}, versions: [{name: v1alpha1, served: true, storage: true,
			schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]}}`, plural, kind, strings.ToLower(kind))
	}
	own(`{apiVersion: v1, kind: Node, metadata: {name: %s}}`, ingressNode)
	in.merge("Node", "", ingressNode, "kubelet", fmt.Sprintf(`{status: {addresses: [{type: InternalIP, address: 127.0.0.1}],
		daemonEndpoints: {kubeletEndpoint: {Port: %d}}, conditions: [{type: Ready, status: "True"}]}}`, node), "status")
	own(`{apiVersion: v1, kind: Pod, metadata: {name: %s, namespace: %s, labels: {istio: ingress}}, spec: {nodeName: %s, automountServiceAccountToken: false,
		containers: [{name: istio-proxy, image: envoy, ports: [{containerPort: 15000}]}]}}`, ingressPod, ingressNamespace, ingressNode)
	if in.revision != "" {
		in.merge("Pod", ingressNamespace, ingressPod, "injector", `{metadata: {annotations: {istio.io/rev: `+in.revision+`}}}`)
	}
	status, err := yaml.Marshal(object{"status": cluster.PodStatus(true, time.Now())})
	if err != nil {
		in.Fatal(err)
	}
	in.merge("Pod", ingressNamespace, ingressPod, "kubelet", string(status), "status")
	own(`{apiVersion: v1, kind: Service, metadata: {name: ing, namespace: %s}, spec: {selector: {istio: ingress}, ports: [
		{name: http2, port: 80, targetPort: %d}, {name: https, port: 443, targetPort: %d}]}}`, ingressNamespace, in.port, secure)
	own(`{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: marker, namespace: %s}, spec: {selector: {istio: ingress},
		servers: [{port: {number: %d, name: http-marker, protocol: HTTP}, hosts: ["*"]}]}}`, ingressNamespace, in.marker)
	own(`{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: marker, namespace: %s}, spec: {hosts: [m0.invalid], gateways: [marker],
		http: [{directResponse: {status: 204}}]}}`, ingressNamespace)
}

// pushed returns when the Envoy holds all that was written before: istiod hears of a kind's objects in order, waits 100 ms for more,
// and pushes everything at once, so it has come when the name of a VirtualService written last has. configs are route configurations
// that must be there as well; a new listener asks for its own only after the push.
func (in *ingress) pushed(configs ...string) sandbox.Routes {
	in.Helper()
	in.pushes++
	host := fmt.Sprintf("m%d.invalid", in.pushes)
	in.merge("VirtualService", ingressNamespace, "marker", "marker", "{spec: {hosts: ["+host+"]}}")
	var d sandbox.Routes
	eventually(in, func() string {
		d, _ = dumpOf(in, in.admin)
		if len(d.Of(fmt.Sprintf("http.%d", in.marker), host)) == 0 {
			return "istiod has not pushed " + host
		}
		for _, config := range configs {
			found := false
			for _, c := range d.Configs {
				found = found || c.Config.Name == config
			}
			if !found {
				return "no route configuration " + config
			}
		}
		return ""
	})
	return d
}

// sketched makes an object of decoded JSON.
func sketched(o object) *unstructured.Unstructured { return &unstructured.Unstructured{Object: o} }
