//go:build unix

package plugintest

import (
	"bufio"
	"context"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mesh-split/mesh-split/sandbox"
)

const (
	prod  = "flaskapp.prod.svc.cluster.local"
	stage = "flaskapp.stage.svc.cluster.local"
)

// "live" is printed within 50 ms of the moment the last gateway's Envoy first shows the weights, as Envoy itself tells on its
// admin port. A machine that is busy elsewhere delays us as well as what we look at, so the best of five counts.
func TestLiveIsPrintedInTime(t *testing.T) {
	path := bin(t)
	const bound = 50 * time.Millisecond
	run(t, path, "set", "demoapp", "stage=0")
	best := time.Hour
	for attempt := range 5 {
		term := []string{"stage=30", "stage=0"}[attempt%2]
		want := []map[string]int64{{prod: 70, stage: 30}, {prod: 100}}[attempt%2]
		if late := lateness(t, path, term, want); late < best {
			best = late
		}
		t.Logf("printed %v after the last Envoy had it", best)
		if best <= bound {
			break
		}
	}
	run(t, path, "set", "demoapp", "stage=0")
	if best > bound {
		t.Errorf("live printed %v after the last Envoy had the weights, want %v at most", best, bound)
	}
}

func run(t *testing.T, path string, args ...string) {
	t.Helper()
	ran(t, plugin(t.Context(), path, args...))
}

// ran runs a command that must succeed.
func ran(t *testing.T, c *exec.Cmd) {
	t.Helper()
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", c.Args[1:], err, out)
	}
}

func plugin(ctx context.Context, path string, args ...string) *exec.Cmd {
	return pluginOn(ctx, shared, path, args...)
}

func pluginOn(ctx context.Context, s *sandbox.Sandbox, path string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, filepath.Join(path, "kubectl-mesh_split"), args...)
	c.Env = append(os.Environ(), "KUBECONFIG="+s.Kubeconfig())
	return c
}

// lateness sets weights and gives the time from the last Envoy's own word to the plugin's line.
func lateness(t *testing.T, path, term string, want map[string]int64) time.Duration {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	envoys := make(chan time.Time, len(shared.Gateways()))
	for i := range shared.Gateways() {
		go func() {
			for ctx.Err() == nil && !holds(ctx, shared, i, want) {
				time.Sleep(2 * time.Millisecond)
			}
			envoys <- time.Now()
		}()
	}
	program := plugin(ctx, path, "set", "demoapp", term)
	out, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	var printed time.Time
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "✓ live") {
			printed = time.Now()
		}
	}
	if err := program.Wait(); err != nil || printed.IsZero() {
		t.Fatalf("set %s: %v, live line seen: %v", term, err, !printed.IsZero())
	}
	var last time.Time
	for range shared.Gateways() {
		if at := <-envoys; at.After(last) {
			last = at
		}
	}
	return printed.Sub(last)
}

// holds asks an Envoy itself, past the plugin. Weights are by destination host; those of 0 are not there.
func holds(ctx context.Context, s *sandbox.Sandbox, gateway int, want map[string]int64) bool {
	have, err := s.EnvoyWeights(ctx, gateway, "default", "demoapp")
	return err == nil && maps.Equal(have, want)
}
