package main

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A renewal that hangs, in a process that its shell has started, ends with the run: Ctrl-C means now.
func TestHungRenewal(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("needs sh")
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	defer s.Close()
	dir := t.TempDir()
	c := program(t, "load", s.URL, "--max-time", "60s", "--header-from-cmd",
		"Authorization=if [ -e asked ]; then sleep 300 & echo $! >hanging.new; mv hanging.new hanging; wait; else touch asked; echo token; fi")
	c.Dir, c.Stdout, c.Stderr = dir, new(bytes.Buffer), new(bytes.Buffer)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	over := make(chan error, 1)
	go func() { over <- c.Wait() }()
	pid := 0
	for until := time.Now().Add(20 * time.Second); pid == 0; time.Sleep(10 * time.Millisecond) {
		text, _ := os.ReadFile(filepath.Join(dir, "hanging"))
		pid, _ = strconv.Atoi(strings.TrimSpace(string(text)))
		if time.Now().After(until) {
			t.Fatalf("no renewal within 20 s: %s", c.Stderr)
		}
	}
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-over:
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 130 {
			t.Errorf("it ended with %v, want 130: %s", err, c.Stderr)
		}
	case <-time.After(20 * time.Second):
		t.Errorf("it goes on 20 s after Ctrl-C: %s", c.Stderr)
	}
	for until := time.Now().Add(5 * time.Second); running(pid); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			t.Fatal("what the command started goes on")
		}
	}
}

// running says whether a process is there and no zombie.
func running(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || !strings.Contains(string(stat), ") Z ")
}
