//go:build unix

package sandbox_test

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/mesh-split/mesh-split/sandbox"
)

// running are those of the processes that still run, by asking for signal 0; zombies of other parents do not linger.
func running(processes map[string]int) (names []string) {
	for name, pid := range processes {
		if syscall.Kill(pid, 0) == nil {
			names = append(names, name)
		}
	}
	return names
}

// wantGone fails unless all processes have ended and the ports are free to bind.
func wantGone(t *testing.T, processes map[string]int, urls []string) {
	t.Helper()
	eventually(t, "all processes have ended", func() bool { return len(running(processes)) == 0 })
	for _, text := range urls {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		listener, err := net.Listen("tcp", u.Host)
		if err != nil {
			t.Errorf("port still taken: %v", err)
			continue
		}
		listener.Close()
	}
}

func urls(s *sandbox.Sandbox) []string {
	all := []string{s.GatewayURL(), s.IstiodURL()}
	for _, g := range s.Gateways() {
		all = append(all, g.AdminURL)
	}
	for _, a := range s.Apps() {
		all = append(all, a.URL, a.AdminURL)
	}
	return all
}

// Three lives in one folder, beside the shared sandbox: one that dies with the program that keeps it, one whose
// supervisor is killed, one that ends by Ctrl-C. None leaves a process or a port, and each next one starts at once.
func TestThreeLives(t *testing.T) {
	dir := t.TempDir()
	t.Cleanup(func() { sandbox.Down(context.Background(), dir) })

	program, s := foreground(t, dir)
	taken := map[string]bool{}
	for _, u := range append(urls(s), urls(shared)...) {
		if taken[u] {
			t.Errorf("%s is used twice", u)
		}
		taken[u] = true
	}
	if _, err := sandbox.Start(t.Context(), sandbox.Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "sandbox down --dir") {
		t.Errorf("a second sandbox in one folder: %v, want a refusal with the remedy", err)
	}
	processes, ports := s.Processes(), urls(s)
	if want := []string{"supervisor", "etcd", "apiserver", "istiod", "istio-ingressgateway-0", "demoapp-v1", "demoapp-v2"}; len(processes) != len(want) {
		t.Errorf("processes %v, want %v", processes, want)
	}
	must(t, program.Process.Kill())
	program.Wait()
	wantGone(t, processes, ports)

	s, err := sandbox.Start(t.Context(), sandbox.Options{Dir: dir, Detach: true, Weights: []int64{}})
	must(t, err)
	awaitWeights(t, s, 0, 50, 50) // the files' own, as asked
	processes, ports = s.Processes(), urls(s)
	must(t, syscall.Kill(processes["supervisor"], syscall.SIGKILL)) // the crash
	if runtime.GOOS == "linux" {                                    // elsewhere the next start sweeps
		wantGone(t, processes, ports)
	}
	if _, err := sandbox.Attach(dir); !errors.Is(err, sandbox.ErrNone) {
		t.Errorf("attaching after a crash: %v, want %v", err, sandbox.ErrNone)
	}

	program, s = foreground(t, dir)
	wantGone(t, processes, nil)
	processes, ports = s.Processes(), urls(s)
	must(t, program.Process.Signal(syscall.SIGINT))
	program.Wait()
	if got := program.ProcessState.ExitCode(); got != 130 {
		t.Errorf("status %d after Ctrl-C, want 130", got)
	}
	wantGone(t, processes, ports)
	left, err := os.ReadDir(dir)
	must(t, err)
	for _, entry := range left {
		if name := entry.Name(); name != "logs" && name != "lock" { // no data, no keys, no tokens
			t.Errorf("down left %s", name)
		}
	}
	must(t, sandbox.Down(t.Context(), dir)) // nothing to do is no error
}

// Ctrl-C while it comes up leaves nothing either.
func TestInterruptedUp(t *testing.T) {
	dir := t.TempDir()
	program := exec.Command(binary(), "up", "--dir", dir)
	progress, err := program.StderrPipe()
	must(t, err)
	must(t, program.Start())
	lines := bufio.NewScanner(progress)
	if !lines.Scan() { // the API server runs by then
		t.Fatal("up said nothing")
	}
	supervisor := supervisorOf(t, dir)
	must(t, program.Process.Signal(syscall.SIGINT))
	for lines.Scan() { // to the end: Wait closes the pipe
	}
	program.Wait()
	if got := program.ProcessState.ExitCode(); got != 130 {
		t.Errorf("status %d, want 130", got)
	}
	wantGone(t, map[string]int{"supervisor": supervisor}, nil)
	if _, err := os.Stat(filepath.Join(dir, "state.json")); err == nil {
		t.Error("the state file is left")
	}
}
