package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/mesh-split/mesh-split/verify/report"
)

// counter is a server that draws versions and knows how many requests each answered.
type counter struct {
	*httptest.Server
	v1, v2 atomic.Uint64
}

// The draws are the same in every run: of fresh ones one run in thirty would want more requests for its PASS than it may send.
func newCounter(t *testing.T, share float64, slow time.Duration) *counter {
	c, draws := new(counter), rand.New(rand.NewPCG(1, 2))
	var mu sync.Mutex // guards draws
	draw := func() float64 {
		mu.Lock()
		defer mu.Unlock()
		return draws.Float64()
	}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if draw() < share {
			c.v2.Add(1)
			time.Sleep(slow)
			w.Header().Set("X-App-Version", "v2")
			return
		}
		c.v1.Add(1)
		w.Header().Set("X-App-Version", "v1")
	}))
	t.Cleanup(c.Close)
	return c
}

// program is mesh-verify in a process of its own; TestMain sees the variable.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), self, args...)
	c.Env = append(os.Environ(), asProgram+"=1")
	return c
}

// workers starts one worker for each name, which writes to a file; the files' names come back.
func workers(t *testing.T, names []string, args ...string) ([]*exec.Cmd, []string) {
	t.Helper()
	dir := t.TempDir()
	var cmds []*exec.Cmd
	var files []string
	for _, name := range names {
		path := filepath.Join(dir, name+".ndjson")
		out, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		c := program(t, append([]string{"worker", "--id", name}, args...)...)
		c.Stdout, c.Stderr = out, new(bytes.Buffer)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		_ = out.Close()
		cmds, files = append(cmds, c), append(files, path)
	}
	return cmds, files
}

// merge joins streams, wants an exit status, and gives the report.
func merge(t *testing.T, status int, args ...string) report.Verification {
	t.Helper()
	c := program(t, append([]string{"merge", "--expect", "v1=70,v2=30", "-o", "json"}, args...)...)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	return reportOf(t, c.Run(), status, &stdout, &stderr)
}

func reportOf(t *testing.T, err error, status int, stdout, stderr *bytes.Buffer) (r report.Verification) {
	t.Helper()
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	if got != status {
		t.Fatalf("merge ended with status %d, want %d\n%s%s", got, status, stdout, stderr)
	}
	if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// same compares a report with what the server counted, version by version.
func (c *counter) same(t *testing.T, r *report.Verification) {
	t.Helper()
	want := map[string]uint64{"v1": c.v1.Load(), "v2": c.v2.Load()}
	for _, v := range r.Versions {
		if v.Requests != want[v.Name] {
			t.Errorf("%s has %d requests, the server answered %d", v.Name, v.Requests, want[v.Name])
		}
	}
	if all := c.v1.Load() + c.v2.Load(); r.Requests.Sent != all || r.Outcomes["answered"] != all {
		t.Errorf("%d sent and %d answered, the server saw %d", r.Requests.Sent, r.Outcomes["answered"], all)
	}
}

// Whoever needs more than one machine's worth runs several workers: what they counted together is what the server counted,
// and one decision is made of it.
func TestWorkers(t *testing.T) {
	t.Parallel()
	server := newCounter(t, 0.3, 3*time.Millisecond)
	cmds, files := workers(t, []string{"a", "b", "c"}, server.URL, "--rate", "1000", "--max-requests", "4000")
	for _, c := range cmds {
		if err := c.Wait(); err != nil {
			t.Fatalf("%v\n%s", err, c.Stderr)
		}
	}
	r := merge(t, 0, files...)
	server.same(t, &r)
	if r.Verdict != "PASS" || len(r.Workers) != 3 || r.Load.Connections != 48 || r.Load.RateAsked != 3000 || r.Connections.Total != 48 {
		t.Errorf("verdict %s of %d workers, %d connections at %v/s; want PASS, 3, 48, 3000", r.Verdict, len(r.Workers), r.Load.Connections, r.Load.RateAsked)
	}
	for _, v := range r.Versions {
		if v.Service == nil || v.Response == nil || v.Service.Max < v.Service.P50 {
			t.Errorf("%s has no latencies: %+v", v.Name, v.Service)
		}
	}
}

// SIGTERM in the middle is how a worker is stopped: it awaits its replies, and its last line is exact. The streams are read
// live here, through pipes.
func TestWorkersStopped(t *testing.T) {
	t.Parallel()
	server := newCounter(t, 0.3, 20*time.Millisecond)
	m := program(t, "merge", "--expect", "v1=70,v2=30", "-o", "json", "/dev/fd/3", "/dev/fd/4", "/dev/fd/5")
	var cmds []*exec.Cmd
	for range 3 {
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		c := program(t, "worker", server.URL, "--rate", "700")
		c.Stdout, c.Stderr = write, new(bytes.Buffer)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		_ = write.Close()
		defer func() { _ = read.Close() }()
		cmds, m.ExtraFiles = append(cmds, c), append(m.ExtraFiles, read)
	}
	var stdout, stderr bytes.Buffer
	m.Stdout, m.Stderr = &stdout, &stderr
	if err := m.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { return server.v1.Load() > 1500 })
	for i, c := range cmds {
		if err := c.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := c.Wait(); err != nil {
			t.Errorf("worker %d: %v, want status 0: being stopped is its ordinary end\n%s", i, err, c.Stderr)
		}
	}
	err := m.Wait()
	if status := m.ProcessState.ExitCode(); status != 0 && status != 4 { // as much as it had sent by then settles it, or not
		t.Fatalf("merge ended with status %d\n%s", status, &stderr)
	}
	r := reportOf(t, err, m.ProcessState.ExitCode(), &stdout, &stderr)
	server.same(t, &r)
	for _, w := range r.Workers {
		if !w.Complete || w.Sent == 0 {
			t.Errorf("worker %+v, want complete", w)
		}
	}
}

// A worker that is killed leaves requests of which nobody knows what became: that is said, and there is no PASS.
func TestWorkerKilled(t *testing.T) {
	t.Parallel()
	server := newCounter(t, 0.3, 0)
	cmds, files := workers(t, []string{"a", "b", "c"}, server.URL, "--rate", "2000", "--max-requests", "6000")
	await(t, func() bool { return told(files[1]) >= 1000 })
	_ = cmds[1].Process.Kill()
	for i, c := range cmds {
		if err := c.Wait(); (err != nil) != (i == 1) {
			t.Fatalf("worker %d: %v\n%s", i, err, c.Stderr)
		}
	}
	r := merge(t, 4, files...)
	if r.Verdict != "INCONCLUSIVE" || !strings.Contains(fmt.Sprint(r.Reasons), "worker b ended without its final counts") {
		t.Errorf("verdict %s, reasons %+v", r.Verdict, r.Reasons)
	}
	if seen := server.v1.Load() + server.v2.Load(); r.Requests.Evidence == 0 || r.Requests.Evidence > seen || r.Requests.Sent > seen {
		t.Errorf("%d requests of evidence, %d sent, the server saw %d", r.Requests.Evidence, r.Requests.Sent, seen)
	}
	for i, w := range r.Workers {
		if w.Complete != (i != 1) {
			t.Errorf("worker %+v", w)
		}
	}
	// A wrong split is wrong all the same.
	c := program(t, append([]string{"merge", "--expect", "v1=30,v2=70"}, files...)...)
	if out, err := c.Output(); c.ProcessState.ExitCode() != 3 || !strings.Contains(string(out), "also  worker b ended without its final counts") {
		t.Errorf("%v\n%s", err, out)
	}
}

// told is how many requests the last whole line of a stream tells of.
func told(path string) (n uint64) {
	data, _ := os.ReadFile(path)
	lines := bytes.Split(data, []byte("\n"))
	if len(lines) < 2 {
		return 0
	}
	var line struct {
		Evidence struct {
			Requests uint64 `json:"requests"`
		} `json:"evidence"`
	}
	_ = json.Unmarshal(lines[len(lines)-2], &line)
	return line.Evidence.Requests
}

func await(t *testing.T, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !f(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited for 20 s")
		}
	}
}
