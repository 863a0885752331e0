//go:build unix

package plugintest

import (
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// A change that nobody waits for is three sequential waves of requests: what there is, what that leads to, and the patch. Each
// request is held back a little, so that those that are sent together overlap; a wave is then one more request that began when
// another had ended. The most requests of which none overlaps another are the waves.
func TestSetIsThreeWaves(t *testing.T) {
	path, w := bin(t), newWorld(t)
	w.create(read(t, demoRoute("waves", "100", "0", "")))
	kubeconfig, asked := spy(t, func(*http.Request) { time.Sleep(150 * time.Millisecond) })
	out, err := plugin(t.Context(), path, "set", "waves", "stage=30", "--wait=false", "--kubeconfig", kubeconfig).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "✓ patched") {
		t.Fatalf("%v\n%s", err, out)
	}
	list := asked()
	slices.SortFunc(list, func(a, b request) int { return a.End.Compare(b.End) })
	var waves []request
	for _, r := range list {
		if len(waves) == 0 || !r.Began.Before(waves[len(waves)-1].End) {
			waves = append(waves, r)
		}
	}
	t.Logf("%d requests in %d waves", len(list), len(waves))
	if len(waves) > 3 || waves[len(waves)-1].Method != http.MethodPatch {
		t.Errorf("%d waves, want 3, the last a PATCH; one request of each: %v\nall: %v", len(waves), waves, list)
	}
	seen := map[string]bool{}
	for _, r := range list {
		if seen[r.String()] {
			t.Errorf("asked twice: %s", r)
		}
		seen[r.String()] = true
	}
}

// set --wait=false takes at most twice the wall time of kubectl patch, which does not look at what it does. Runs alternate, and the
// middle of each counts.
func TestSetIsAsQuickAsKubectlPatch(t *testing.T) {
	path, w := bin(t), newWorld(t)
	w.create(read(t, demoRoute("quick", "100", "0", "")))
	took := map[string][]time.Duration{}
	const patch = `[{"op":"replace","path":"/spec/http/0/route/0/weight","value":60},{"op":"replace","path":"/spec/http/0/route/1/weight","value":40}]`
	for range 11 {
		for _, words := range [][]string{
			{"kubectl-mesh_split", "set", "quick", "stage=30", "--wait=false"},
			{"kubectl", "patch", "virtualservice", "quick", "--type=json", "-p", patch},
		} {
			c := exec.CommandContext(t.Context(), filepath.Join(path, words[0]), append(words[1:], "--kubeconfig", shared.Kubeconfig())...)
			start := time.Now()
			if out, err := c.CombinedOutput(); err != nil {
				t.Fatalf("%v: %v\n%s", words, err, out)
			}
			took[words[0]] = append(took[words[0]], time.Since(start))
		}
	}
	middle := func(all []time.Duration) time.Duration {
		slices.Sort(all)
		return all[len(all)/2]
	}
	ours, theirs := middle(took["kubectl-mesh_split"]), middle(took["kubectl"])
	ratio := float64(ours) / float64(theirs)
	t.Logf("set --wait=false %v, kubectl patch %v: %.2f times", ours, theirs, ratio)
	if ratio > 2 {
		t.Errorf("%.2f times the time of kubectl patch, want 2 at most", ratio)
	}
}
