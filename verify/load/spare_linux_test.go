package load

import (
	"runtime"
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
