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

// Beside another one, in the same user's cache: its own ports, and down leaves no process, no port, no secret. A
// supervisor that is killed takes its children along, and the folder can be used again at once.
func TestLife(t *testing.T) {
	dir := t.TempDir()
	s, err := sandbox.Start(t.Context(), sandbox.Options{Dir: dir, Detach: true, Weights: []int64{}})
	must(t, err)
	t.Cleanup(func() { sandbox.Down(context.Background(), dir) })
	awaitWeights(t, s, 0, 50, 50) // the files' own, as asked
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
	must(t, syscall.Kill(processes["supervisor"], syscall.SIGKILL)) // the crash
	if runtime.GOOS == "linux" {
		wantGone(t, processes, ports)
	}
	if _, err := sandbox.Attach(dir); !errors.Is(err, sandbox.ErrNone) {
		t.Errorf("attaching after a crash: %v, want %v", err, sandbox.ErrNone)
	}

	s, err = sandbox.Start(t.Context(), sandbox.Options{Dir: dir, Detach: true}) // sweeps, and starts anew
	must(t, err)
	wantGone(t, processes, nil)
	awaitWeights(t, s, 0, 100, 0)
	processes, ports = s.Processes(), urls(s)
	must(t, s.Down(t.Context()))
	wantGone(t, processes, ports)
	left, err := os.ReadDir(dir)
	must(t, err)
	for _, entry := range left {
		if name := entry.Name(); name != "logs" && name != "lock" {
			t.Errorf("down left %s", name)
		}
	}
	must(t, sandbox.Down(t.Context(), dir)) // nothing to do is no error
}

// In the foreground, Ctrl-C takes everything along and says so by status 130; so does the death of the program itself.
func TestForeground(t *testing.T) {
	for _, row := range []struct {
		name   string
		signal syscall.Signal
		status int
	}{
		{"ctrl-c", syscall.SIGINT, 130},
		{"killed", syscall.SIGKILL, -1},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			program, s := foreground(t, dir)
			processes, ports := s.Processes(), urls(s)
			must(t, program.Process.Signal(row.signal))
			program.Wait()
			if got := program.ProcessState.ExitCode(); got != row.status {
				t.Errorf("status %d, want %d", got, row.status)
			}
			wantGone(t, processes, ports)
		})
	}
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
