//go:build unix

package plugintest

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// crowd makes many VirtualServices in kube-public, every other one labelled odd, and removes them at the end.
func crowd(t *testing.T, many int) {
	t.Helper()
	objects := newWorld(t).of("VirtualService", "kube-public")
	t.Cleanup(func() {
		_ = objects.DeleteCollection(context.Background(), metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "crowd"})
	})
	var group sync.WaitGroup
	numbers := make(chan int)
	for range 8 {
		group.Go(func() {
			for i := range numbers {
				to := func(host string, weight int64) map[string]any {
					return map[string]any{"destination": map[string]any{"host": host}, "weight": weight}
				}
				_, err := objects.Create(t.Context(), &unstructured.Unstructured{Object: map[string]any{
					"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
					"metadata": map[string]any{"name": fmt.Sprintf("crowd-%d", i), "labels": map[string]any{"crowd": fmt.Sprint(i % 2)}},
					"spec": map[string]any{"hosts": []any{fmt.Sprintf("crowd-%d.example.com", i)}, "gateways": []any{"none"},
						"http": []any{map[string]any{"route": []any{to("a", 1), to("b", 3)}}}},
				}}, metav1.CreateOptions{})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range many {
		numbers <- i
	}
	close(numbers)
	group.Wait()
}

// TestGet is about lists so long that they come in pages.
func TestGet(t *testing.T) {
	const many = 1100
	crowd(t, many)
	t.Run("pages", func(t *testing.T) { getReadsPages(t, many) })
	t.Run("quick", getIsAsQuickAsKubectl)
}

// A list comes in pages of 500, in order and whole, and without asking for what the cluster serves beside the groups of
// routes: a discovery sweep is a request for every group there is.
func getReadsPages(t *testing.T, many int) {
	path := bin(t)
	kubeconfig, asked := spy(t, nil)
	get := func(args ...string) []string {
		c := plugin(t.Context(), path, append([]string{"get", "-n", "kube-public", "--kubeconfig", kubeconfig}, args...)...)
		var complaints bytes.Buffer
		c.Stderr = &complaints
		out, err := c.Output()
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, &complaints)
		}
		return strings.Split(strings.TrimSpace(string(out)), "\n")
	}
	lines := get("--no-headers")
	if len(lines) != many || !slices.IsSorted(lines) {
		t.Errorf("%d lines, sorted: %v; want %d in order", len(lines), slices.IsSorted(lines), many)
	}
	pages := 0
	for _, r := range asked() {
		u, _ := url.Parse(r.URI)
		switch {
		case u.Path == "/api" || u.Path == "/apis":
			t.Errorf("a discovery sweep: %s", r)
		case strings.HasSuffix(u.Path, "/virtualservices"):
			pages++
			if u.Query().Get("limit") != "500" {
				t.Errorf("not a page: %s", r)
			}
		}
	}
	if pages != 3 {
		t.Errorf("%d pages of VirtualServices, want 3", pages)
	}
	if odd := get("-l", "crowd=1", "-o", "name"); len(odd) != many/2 {
		t.Errorf("%d names with the label, want %d", len(odd), many/2)
	}
	if items := get("-o", "jsonpath={range .items[*]}{.metadata.name}{\"\\n\"}{end}"); len(items) != many {
		t.Errorf("%d items in the document, want %d", len(items), many)
	}
}

// get is as quick as kubectl's own: within 1.3 times its wall time, one object or a thousand. Runs alternate, and the best
// of each counts: a machine that is busy elsewhere adds to both, and gets up to twenty tries.
func getIsAsQuickAsKubectl(t *testing.T) {
	path := bin(t)
	for _, namespace := range []string{"default", "kube-public"} {
		best, ratio := map[string]time.Duration{}, 0.0
		for try := 0; try < 3 || try < 20 && ratio > 1.3; try++ {
			for _, words := range [][]string{{"kubectl-mesh_split", "get"}, {"kubectl", "get", "virtualservice"}} {
				c := exec.CommandContext(t.Context(), filepath.Join(path, words[0]), append(words[1:], "-n", namespace, "--kubeconfig", shared.Kubeconfig())...)
				start := time.Now()
				if out, err := c.CombinedOutput(); err != nil {
					t.Fatalf("%v: %v\n%s", words, err, out)
				}
				if took := time.Since(start); best[words[0]] == 0 || took < best[words[0]] {
					best[words[0]] = took
				}
			}
			ratio = float64(best["kubectl-mesh_split"]) / float64(best["kubectl"])
		}
		t.Logf("namespace %s: %v, kubectl %v: %.2f times", namespace, best["kubectl-mesh_split"], best["kubectl"], ratio)
		if ratio > 1.3 {
			t.Errorf("namespace %s: %.2f times kubectl's time, want 1.3 at most", namespace, ratio)
		}
	}
}
