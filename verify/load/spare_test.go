package load

import (
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"
)

// Runs that overlap share the spare processor; after the last of them the process is as it was.
func TestSpareProcessor(t *testing.T) {
	before := runtime.GOMAXPROCS(2)
	defer runtime.GOMAXPROCS(before)
	first := spareProcessor(2)
	second := spareProcessor(1)
	if n := runtime.GOMAXPROCS(0); n != 3 {
		t.Errorf("%d processors beside two loops, want 3", n)
	}
	first()
	if n := runtime.GOMAXPROCS(0); n != 3 {
		t.Errorf("%d processors while another run goes on, want 3", n)
	}
	second()
	if n := runtime.GOMAXPROCS(0); n != 2 {
		t.Errorf("%d processors after the runs, want 2 as before", n)
	}
}

// The pacer sleeps on a processor: with one only there is a spare one while it does, on every engine. In a closed loop it does not
// sleep, and nothing is spared.
func TestSpareProcessorOfThePacer(t *testing.T) {
	before := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(before)
	for _, e := range append(Engines(), HTTP2()) {
		for rate, want := range map[float64]int{500: 2, 0: 1} {
			if e.Name() == "epoll" {
				want = 2 // its loop has one in a closed loop, too
			}
			var during atomic.Int64
			s := serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				during.Store(max(during.Load(), int64(runtime.GOMAXPROCS(0))))
			}))
			_, snap, err := runPlan(t, e, &Plan{Addresses: []string{s}, Connections: 2, Rate: rate, MaxRequests: 50})
			if err != nil {
				t.Fatal(err)
			}
			if snap.Sent != 50 || during.Load() != int64(want) || runtime.GOMAXPROCS(0) != 1 {
				t.Errorf("%s at %v/s: %d sent, %d processors meanwhile and %d after, want 50, %d and 1", e.Name(), rate, snap.Sent, during.Load(), runtime.GOMAXPROCS(0), want)
			}
		}
	}
}
