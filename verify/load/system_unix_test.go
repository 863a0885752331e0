//go:build unix

package load

import (
	"strings"
	"syscall"
	"testing"
)

// A limit that is too low is said before anything is sent.
func TestTooFewDescriptors(t *testing.T) {
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &was); err != nil {
		t.Fatal(err)
	}
	low := was
	low.Cur = 256
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &low); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &was) }()
	s := serve(t, oneIn(2, 0, 0))
	for _, e := range Engines() {
		p := &Plan{Request: get(t), Addresses: []string{s.address()}, Connections: 300, MaxRequests: 10}
		err := e.Run(t.Context(), p, NewRecorder(nil, p))
		if err == nil || !strings.Contains(err.Error(), "open files") || s.conns.Load() != 0 {
			t.Errorf("%s: error %v and %d connections, want one about open files and none", e.Name(), err, s.conns.Load())
		}
	}
}
