//go:build linux

package e2e

import (
	"bytes"
	"errors"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mesh-split/mesh-split/sandbox/nodes"
)

// world is what a chapter may use.
type world struct {
	*nodes.Cluster
	repository string
	links      int // network interfaces of the machine before there was a cluster
}

// outcome is how a program ended.
type outcome struct {
	stdout, stderr string
	code           int
}

// run runs one of the built programs inside the cluster's network.
func (w world) run(t *testing.T, program string, args ...string) outcome {
	t.Helper()
	return w.begin(t, "", program, args...)()
}

// begin starts a program, returns as soon as it has written the mark to stderr, and gives a function that waits for its end.
func (w world) begin(t *testing.T, mark, program string, args ...string) (end func() outcome) {
	t.Helper()
	cmd := w.Command(t.Context(), w.Program(program), args...)
	cmd.Dir = w.repository
	var stdout bytes.Buffer
	stderr := &marked{mark: mark, seen: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &stdout, stderr
	done, over := make(chan outcome, 1), make(chan struct{})
	t.Cleanup(func() { <-over }) // a test that gives up ends its context, and with it the program
	go func() {
		defer close(over)
		err := cmd.Run()
		var ended *exec.ExitError
		if err != nil && !errors.As(err, &ended) {
			t.Errorf("%s: %v", program, err) // not Fatal: this is no goroutine of the test's own
			done <- outcome{code: -1}
			return
		}
		o := outcome{stdout.String(), stderr.text.String(), cmd.ProcessState.ExitCode()}
		t.Logf("$ %s %s\n%s%s[exit %d]", program, strings.Join(args, " "), o.stdout, o.stderr, o.code)
		done <- o
	}()
	if mark != "" {
		select {
		case <-stderr.seen:
		case o := <-done:
			done <- o
			t.Errorf("%s ended without saying %q", program, mark)
		}
	}
	return func() outcome { return <-done }
}

// marked keeps what is written and tells when the mark was.
type marked struct {
	mark string
	text bytes.Buffer
	seen chan struct{}
	told bool
}

func (m *marked) Write(p []byte) (int, error) {
	m.text.Write(p)
	if !m.told && m.mark != "" && strings.Contains(m.text.String(), m.mark) {
		m.told = true
		close(m.seen)
	}
	return len(p), nil
}

// must runs a program that has to end with status 0.
func (w world) must(t *testing.T, program string, args ...string) string {
	t.Helper()
	o := w.run(t, program, args...)
	if o.code != 0 {
		t.Fatalf("%s %s: exit %d, want 0", program, strings.Join(args, " "), o.code)
	}
	return o.stdout
}

// plugin runs kubectl mesh-split, as a user does, and wants one of the exit codes.
func (w world) plugin(t *testing.T, want []int, args ...string) outcome {
	t.Helper()
	o := w.run(t, "kubectl", append([]string{"mesh-split"}, args...)...)
	for _, code := range want {
		if o.code == code {
			return o
		}
	}
	t.Fatalf("kubectl mesh-split %s: exit %d, want %v", strings.Join(args, " "), o.code, want)
	return o
}

// sure are flags for verdicts that a test may rely on: a wrong one has a probability of 1 in 1000, at 3 points instead of 2
// so that it does not take longer.
var sure = []string{"--confidence", "99.9%", "--tolerance", "3%", "--max-time", "2m", "--max-requests", "40000", "--rate", "1000"}

// set sets weights, measures them and wants a PASS.
func (w world) set(t *testing.T, weights ...string) outcome {
	t.Helper()
	return w.plugin(t, []int{0}, append(append([]string{"set", "demoapp", "--verify"}, weights...), sure...)...)
}

// weights are the live object's, prod first, of its only entry with two destinations.
func (w world) weights(t *testing.T) string {
	t.Helper()
	return w.must(t, "kubectl", "get", "virtualservice", "demoapp", "-o",
		`jsonpath={range .spec.http[*]}{.route[?(@.weight)].weight}{end}`)
}

// apply applies a file or folder of istio-config.
func (w world) apply(t *testing.T, path string) {
	t.Helper()
	w.must(t, "kubectl", "apply", "-f", filepath.Join(w.repository, "istio-config", path))
}

// ask sends n plain requests, each on a connection of its own, and counts replies by their version and status.
func (w world) ask(t *testing.T, url string, n int) (versions map[string]int, statuses map[int]int) {
	t.Helper()
	client := &http.Client{Timeout: 5 * time.Second,
		Transport: &http.Transport{DialContext: w.DialContext, DisableKeepAlives: true}}
	versions, statuses = map[string]int{}, map[int]int{}
	for range n {
		reply, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		reply.Body.Close()
		versions[reply.Header.Get("x-app-version")]++
		statuses[reply.StatusCode]++
	}
	return versions, statuses
}

// field is one value of an object, by a JSONPath of kubectl.
func (w world) field(t *testing.T, namespace, what, path string) string {
	t.Helper()
	args := append([]string{"get", "-n", namespace}, strings.Fields(what)...)
	return strings.TrimSpace(w.must(t, "kubectl", append(args, "-o", "jsonpath="+path)...))
}
