//go:build unix

package ports

import (
	"context"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func pool(t *testing.T, dir string) *Pool {
	t.Helper()
	p, err := NewPool(dir, rand.New(rand.NewPCG(1, 2))) // the same order each time: pools meet at every port
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Release)
	return p
}

// Two pools never hold one port, although nobody listens on it yet and both try in the same order.
func TestPoolsShareNothing(t *testing.T) {
	dir := t.TempDir()
	a, b := pool(t, dir), pool(t, dir)
	seen := map[int]bool{}
	for range 20 {
		for _, p := range []*Pool{a, b} {
			port, err := p.Take(Plain)
			if err != nil {
				t.Fatal(err)
			}
			if seen[port] {
				t.Fatalf("port %d was given twice", port)
			}
			if port < Plain.First || port > Plain.Last {
				t.Fatalf("port %d is not within %v", port, Plain)
			}
			seen[port] = true
		}
	}
}

// A gateway that listens with SO_REUSEPORT makes its port taken: this is what a second gateway could share unseen.
func TestListenerWithReusePort(t *testing.T) {
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var failed error
		err := c.Control(func(fd uintptr) { failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) })
		if err != nil {
			return err
		}
		return failed
	}}
	listener, err := config.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	port := listener.Addr().(*net.TCPAddr).Port
	_, err = pool(t, t.TempDir()).Take(Range{port, port})
	if err == nil || !strings.Contains(err.Error(), "no free port from "+strconv.Itoa(port)) {
		t.Errorf("taking port %d: %v, want no free port", port, err)
	}
}

func TestRelease(t *testing.T) {
	dir := t.TempDir()
	a, b := pool(t, dir), pool(t, dir)
	port, err := a.Take(Plain)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Take(Range{port, port}); err == nil {
		t.Errorf("port %d was given twice", port)
	}
	a.Release()
	if _, err := b.Take(Range{port, port}); err != nil {
		t.Errorf("after the release: %v", err)
	}
}
