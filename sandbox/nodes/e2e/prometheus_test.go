//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// istioModule is the folder of Istio's source, whose samples hold the addons.
func istioModule(t *testing.T, w world) (string, error) {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "istio.io/istio")
	list.Dir = filepath.Join(w.repository, "sandbox")
	out, err := list.Output()
	return strings.TrimSpace(string(out)), err
}

const scrape = `
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
- job_name: gateways
  metrics_path: /stats/prometheus
  static_configs: [{targets: [%s]}]
`

// Debian's Prometheus (package prometheus) runs in the cluster's network and scrapes both gateways. Stock Envoy has no
// istio_requests_total; its own counters per destination are there.
func prometheus(t *testing.T, w world) {
	startPrometheus(t, w, "127.0.0.1:9090")
	w.ask(t, w.GatewayURL(), 20)
	var last string
	seen := eventually(func() bool {
		last = w.query(`sum by (cluster_name) (envoy_cluster_upstream_rq_total{cluster_name=~"outbound.*flaskapp.*"}) > 0`)
		return strings.Contains(last, "flaskapp.prod") && strings.Contains(last, "flaskapp.stage")
	})
	if !seen {
		t.Errorf("Prometheus does not show requests to both versions; it said:\n%s", last)
	}
	t.Log(last)
}

// startPrometheus runs it until the test ends.
func startPrometheus(t *testing.T, w world, address string) {
	t.Helper()
	program, err := exec.LookPath("prometheus")
	if err != nil {
		t.Skip("NOT RUN: no prometheus on PATH; Debian: apt-get install --no-install-recommends prometheus")
	}
	var targets []string
	for _, ip := range strings.Fields(w.field(t, "istio-system", "pods -l istio=ingressgateway", "{.items[*].status.podIP}")) {
		targets = append(targets, ip+":15090")
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yaml")
	if err := os.WriteFile(config, fmt.Appendf(nil, scrape, strings.Join(targets, ",")), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := w.Command(t.Context(), program, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+address, "--log.level=error")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
}

// query asks Prometheus and returns its result as text, or the error.
func (w world) query(text string) string {
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DialContext: w.DialContext, DisableKeepAlives: true}}
	reply, err := client.Get("http://127.0.0.1:9090/api/v1/query?query=" + url.QueryEscape(text))
	if err != nil {
		return err.Error()
	}
	defer reply.Body.Close()
	var answer struct {
		Data struct{ Result json.RawMessage }
	}
	if err := json.NewDecoder(reply.Body).Decode(&answer); err != nil {
		return err.Error()
	}
	return string(answer.Data.Result)
}
