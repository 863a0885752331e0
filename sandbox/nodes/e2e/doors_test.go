//go:build linux

package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// prometheusService is what the addon's own Service would be, leading to the Prometheus that runs on the node.
const prometheusService = `
apiVersion: v1
kind: Service
metadata: {name: prometheus, namespace: istio-system}
spec: {ports: [{name: http, port: 9090}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: prometheus, namespace: istio-system, labels: {kubernetes.io/service-name: prometheus}}
addressType: IPv4
endpoints: [{addresses: [%s], conditions: {ready: true}}]
ports: [{name: http, port: 9090, protocol: TCP}]
`

// Each addon has a host name on the same gateway. Prometheus is there and answers; the others' images are in registries, so
// their hosts lead to a Service that is not there: an error of the gateway, and above all not the demo, which answers every
// host that is nobody's.
func ingresses(t *testing.T, w world) {
	address, _, err := net.SplitHostPort(strings.TrimPrefix(strings.TrimSuffix(w.GatewayURL(), "/"), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	startPrometheus(t, w, address+":9090")
	dir := t.TempDir()
	for name, text := range map[string]string{"ingresses": filled(t, w, address), "prometheus": fmt.Sprintf(prometheusService, address)} {
		file := filepath.Join(dir, name+".yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		w.must(t, "kubectl", "apply", "-f", file)
		defer w.run(t, "kubectl", "delete", "-f", file)
	}
	for name, want := range map[string]int{"prom": http.StatusOK, "kiali": 503, "grafana": 503, "tracing": 503} {
		host := fmt.Sprintf("%s.%s.nip.io", name, address)
		var status int
		var body string
		if !eventually(func() bool {
			status, body = w.page(host)
			return status == want && (want != http.StatusOK || strings.Contains(body, "Prometheus"))
		}) {
			t.Errorf("%s: got %d %.80q, want %d", host, status, body, want)
		}
	}
}

// filled are the addons' ingresses for an address.
func filled(t *testing.T, w world, address string) string {
	t.Helper()
	objects, err := exec.CommandContext(t.Context(), filepath.Join(w.repository, "hack", "ingresses"), address).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(objects)
}

// page asks the gateway for a host's first page, as a browser does that nip.io has given the gateway's address.
func (w world) page(host string) (int, string) {
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return w.DialContext(ctx, network, strings.TrimSuffix(strings.TrimPrefix(w.GatewayURL(), "http://"), "/"))
		}}}
	reply, err := client.Get("http://" + host + "/")
	if err != nil {
		return 0, err.Error()
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	if err != nil {
		return 0, err.Error()
	}
	return reply.StatusCode, string(body)
}

// The same door with TLS: plain HTTP is sent on, the plugin finds the node port of https, and trusts no certificate it was
// not told to.
func https(t *testing.T, w world) {
	w.apply(t, "https/gateway.yaml")
	defer func() {
		w.apply(t, "gateway.yaml")
		w.must(t, "kubectl", "mesh-split", "wait", "demoapp", "--for=live")
		if !eventually(func() bool { _, statuses := w.ask(t, w.GatewayURL(), 1); return statuses[http.StatusOK] == 1 }) {
			t.Error("after HTTPS the gateway does not answer plain HTTP again")
		}
	}()
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DialContext: w.DialContext, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	moved := eventually(func() bool {
		reply, err := client.Get(w.GatewayURL())
		if err != nil {
			return false
		}
		reply.Body.Close()
		return reply.StatusCode == http.StatusMovedPermanently && strings.HasPrefix(reply.Header.Get("location"), "https://")
	})
	if !moved {
		t.Error("plain HTTP is not sent on to HTTPS")
	}
	authority := filepath.Join(w.Dir(), "pki", "ca.crt") // the istio chapter made the gateway's Secret of one it signed
	got := w.plugin(t, []int{0}, append([]string{"verify", "demoapp", "--ca", authority}, sure...)...)
	if text := got.stdout + got.stderr; !strings.Contains(text, "load to https://") || !strings.Contains(text, "PASS") {
		t.Error("verify does not say that it went through https, or no PASS")
	}
	refused := w.plugin(t, []int{1}, "verify", "demoapp")
	if !strings.Contains(refused.stderr, "unknown authority") || !strings.Contains(refused.stderr, "--ca") {
		t.Error("a certificate of an unknown authority is not named, or --ca not hinted at")
	}
}
