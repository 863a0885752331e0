//go:build linux

package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mesh-split/mesh-split/sandbox/nodes"
)

const skipped = "SKIPPED: a real node needs Linux, root, some Debian packages and minutes; run: make e2e (docs/e2e.md)"

// chapter is one part of the story: a row of the playground, or something that goes wrong.
type chapter struct {
	row  string // of the playground, as docs/e2e.md numbers them, or "-"
	what string // what is shown, for people
	test func(*testing.T, world)
}

var story = []chapter{
	{"2", "Istio installed by istioctl, two gateways, every alternative of istio-config analyzed", istio},
	{"3", "addons accepted by the API server", addons},
	{"3, 15", "Prometheus scrapes Envoy's counters of both versions", prometheus},
	{"4", "ingresses of the addons lead through the gateway (to Prometheus for real)", ingresses},
	{"5, 6, 7", "charts by Helm, sidecars 2/2 Ready, helm test", charts},
	{"8, 9, 10", "gateway found, hostIP and nodePort, both versions answer", gateway},
	{"8", "HTTPS gateway: plain text is redirected, the split is measured through TLS", https},
	{"11", "canary tested at 0 %", canaryAtZero},
	{"11", "canary at 30, 60 and 100 %, each verified", canary},
	{"13", "promotion: helm upgrade of prod, tested at 0 %, traffic back to prod", promotion},
	{"14", "undo, and helm rollback", rollback},
	{"12", "blue/green both ways under load, no failed request", blueGreen},
	{"16", "STRICT mutual TLS: plain text refused, the split goes on", strictTLS},
	{"16", "DestinationRule and subsets: one Service, two versions, the split holds", subsets},
	{"-", "a wrong split is a FAIL", wrongSplit},
	{"-", "a gateway pod dies while a change is verified", gatewayDies},
	{"-", "a canary without ready endpoints: refused; forced, its 503s are counted and explained", noEndpoints},
	{"-", "the only v2 pod is evicted while users are on it", eviction},
	{"1, 10", "hack/playground down, up cut short, up again, on a cluster that is there", playground},
}

// lastChapter is for a cluster of our own.
var lastChapter = chapter{"-", "after a crash, down leaves no process, mount, namespace or bridge", func(t *testing.T, w world) { crash(t, w.Cluster, w.links) }}

func TestPlayground(t *testing.T) {
	if os.Getenv("MESH_SPLIT_E2E") != "1" {
		t.Skip(skipped)
	}
	w := world{repository: repository(t), links: links(t)}
	w.Cluster = cluster(t)
	var table strings.Builder
	defer func() { fmt.Printf("\n%s\n", table.String()) }()
	fmt.Fprintf(&table, "| row | what ran | result |\n|---|---|---|\n")
	chapters := story
	if os.Getenv("MESH_SPLIT_E2E_RUN") == "" {
		chapters = append(append([]chapter{}, story...), lastChapter)
	}
	for _, c := range chapters {
		if c.what == lastChapter.what && t.Failed() {
			keepLogs(t, filepath.Join(w.Dir(), "log")) // it removes them
		}
		began := time.Now()
		var was *testing.T
		t.Run(strings.ReplaceAll(c.what, " ", "_"), func(t *testing.T) {
			was = t
			c.test(t, w)
		})
		if was == nil { // left out by -run
			continue
		}
		result := "passed"
		switch {
		case was.Failed():
			result = "FAILED"
		case was.Skipped():
			result = "not run here"
		}
		fmt.Fprintf(&table, "| %s | %s | %s, %.0f s |\n", c.row, c.what, result, time.Since(began).Seconds())
	}
}

// cluster is the one that MESH_SPLIT_E2E_RUN names, or a new one that the test takes down at its end.
func cluster(t *testing.T) *nodes.Cluster {
	t.Helper()
	if name := os.Getenv("MESH_SPLIT_E2E_RUN"); name != "" {
		c, err := nodes.Attach(nodes.DefaultDir(name))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	o := nodes.Options{Name: fmt.Sprintf("e2e-%d", os.Getpid()), Repository: repository(t),
		Programs: filepath.Join(repository(t), "bin"), Progress: os.Stdout}
	dir := nodes.DefaultDir(o.Name)
	t.Cleanup(func() {
		if _, err := os.Stat(dir); err == nil && t.Failed() {
			keepLogs(t, filepath.Join(dir, "log"))
		}
		if err := nodes.Down(context.Background(), dir); err != nil {
			t.Error(err)
		}
	})
	began := time.Now()
	c, err := nodes.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the cluster was up after %.0f s", time.Since(began).Seconds())
	return c
}

// keepLogs copies the logs to where they outlive the cluster.
func keepLogs(t *testing.T, from string) {
	to, err := os.MkdirTemp("", "mesh-split-e2e-logs-")
	if err == nil {
		err = os.CopyFS(to, os.DirFS(from))
	}
	t.Logf("logs of the node: %s (%v)", to, err)
}

func repository(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	return root
}
