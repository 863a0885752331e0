//go:build unix

package sandbox_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"

	"github.com/mesh-split/mesh-split/sandbox"
)

// What a client counts by header is what the Envoys have counted, exactly; and both gateways take part.
func TestRoutesByWeights(t *testing.T) {
	split(t, shared, 70, 30, 0, 1)
	before, err := shared.EnvoyCounters(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const requests = 400
	seen := map[string]uint64{}
	for range requests {
		response, err := ask(t, shared.GatewayURL())
		if err != nil {
			t.Fatal(err)
		}
		seen[response.Header.Get("x-app-version")+" "+response.Header.Get("x-app-destination")]++
	}
	after, err := shared.EnvoyCounters(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	counted := after.Since(before)
	if v1, v2 := counted.Total(prod), counted.Total(stage); seen["v1 prod"] != v1 || seen["v2 stage"] != v2 || v1+v2 != requests {
		t.Errorf("replies say %v, Envoys counted %d and %d, of %d requests", seen, v1, v2, requests)
	}
	// 120 expected, standard deviation 9.2: beyond five of them the weights are not in force (p < 1e-6).
	if v2 := seen["v2 stage"]; v2 < 74 || v2 > 166 {
		t.Errorf("%d of %d replies are v2's, want about 120", v2, requests)
	}
	for pod, byHost := range counted {
		if byHost[prod]+byHost[stage] == 0 {
			t.Errorf("%s got none of %d connections", pod, requests)
		}
	}
}

// The default begins where a canary begins: nobody gets the new version, and Istio leaves zero weights out.
func TestBeginsOnProd(t *testing.T) {
	for i := range shared.Gateways() {
		awaitWeights(t, shared, i, 100, 0)
	}
}

// Istio's own webhook speaks, in its own words; a dry-run or a schema alone would let these pass.
func TestValidationDenies(t *testing.T) {
	for _, row := range []struct {
		prod, stage int
		want        string
	}{
		{-1, 101, "weight -1 < 0"},
		{0, 0, "total destination weight = 0"},
	} {
		err := patch(t, shared, sandbox.Context, row.prod, row.stage)
		if err == nil || !strings.Contains(err.Error(), `denied the request`) || !strings.Contains(err.Error(), row.want) {
			t.Errorf("patching to %d/%d: %v, want a denial with %q", row.prod, row.stage, err, row.want)
		}
	}
}

// The viewer reads and may not write; the API server says which right is missing.
func TestViewerMayNotPatch(t *testing.T) {
	err := patch(t, shared, sandbox.ViewerContext, 50, 50)
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), `cannot patch resource "virtualservices"`) {
		t.Errorf("patching as %s: %v, want forbidden", sandbox.ViewerContext, err)
	}
	client, err := kubernetes.NewForConfig(config(t, shared, sandbox.ViewerContext))
	if err != nil {
		t.Fatal(err)
	}
	if got := gatewayPods(t, client); len(got) != 2 {
		t.Errorf("%d gateway pods are listed, want 2", len(got))
	}
}

func gatewayPods(t *testing.T, client kubernetes.Interface) []corev1.Pod {
	t.Helper()
	pods, err := client.CoreV1().Pods("istio-system").List(t.Context(), listOptions("istio=ingressgateway"))
	if err != nil {
		t.Fatal(err)
	}
	return pods.Items
}

// The address that the playground computes, hostIP of a gateway pod and nodePort of port http2, is the gateway's.
func TestHostIPAndNodePort(t *testing.T) {
	client, err := kubernetes.NewForConfig(config(t, shared, sandbox.Context))
	if err != nil {
		t.Fatal(err)
	}
	service, err := client.CoreV1().Services("istio-system").Get(t.Context(), "istio-ingressgateway", getOptions)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(service.Status.LoadBalancer.Ingress); n != 0 {
		t.Errorf("the service has %d addresses of a load balancer, want none", n)
	}
	for _, pod := range gatewayPods(t, client) {
		for _, port := range service.Spec.Ports {
			if got := fmt.Sprintf("http://%s:%d", pod.Status.HostIP, port.NodePort); port.Name == "http2" && got != shared.GatewayURL() {
				t.Errorf("hostIP and nodePort of %s are %s, the gateway is %s", pod.Name, got, shared.GatewayURL())
			}
		}
	}
}

// A port-forward to pod N reaches the Envoy of pod N: the whole way through API server and node.
func TestPortForward(t *testing.T) {
	for _, g := range shared.Gateways() {
		if body := forwarded(t, g.Pod, "/server_info"); !strings.Contains(body, "~"+g.Pod+".istio-system~") {
			t.Errorf("port 15000 of %s answers as somebody else: %.200s", g.Pod, body)
		}
	}
}

// forwarded asks port 15000 of a gateway's pod through a port-forward.
func forwarded(t *testing.T, pod, path string) string {
	t.Helper()
	rest := config(t, shared, sandbox.Context)
	client, err := kubernetes.NewForConfig(rest)
	if err != nil {
		t.Fatal(err)
	}
	roundTripper, upgrader, err := spdy.RoundTripperFor(rest)
	if err != nil {
		t.Fatal(err)
	}
	url := client.CoreV1().RESTClient().Post().Resource("pods").Namespace("istio-system").Name(pod).SubResource("portforward").URL()
	stop, ready := make(chan struct{}), make(chan struct{})
	forwarder, err := portforward.NewOnAddresses(spdy.NewDialer(upgrader, &http.Client{Transport: roundTripper}, http.MethodPost, url),
		[]string{"127.0.0.1"}, []string{"0:15000"}, stop, ready, io.Discard, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- forwarder.ForwardPorts() }()
	defer func() { close(stop); <-done }()
	select {
	case <-ready:
	case err := <-done:
		done <- nil
		t.Fatalf("port-forward to %s: %v", pod, err)
	}
	ports, err := forwarder.GetPorts()
	if err != nil {
		t.Fatal(err)
	}
	client2 := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client2.Get(fmt.Sprintf("http://127.0.0.1:%d%s", ports[0].Local, path))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
