package load

import (
	"runtime"
	"testing"
)

// Once warm, a request allocates nothing, on either side of this test. Runs of two lengths differ only in their number of
// requests, so the difference is what requests cost; a little is left for the collector's and the runtime's own.
func TestRequestsAllocate(t *testing.T) {
	for _, e := range Engines() {
		s := serve(t, oneIn(3, 0, 0))
		allocated := func(n uint64) uint64 {
			p := &Plan{Request: get(t), Addresses: []string{s.address()}, Connections: 8, MaxRequests: n}
			r := NewRecorder([]string{"v1", "v2"}, p)
			r.BeginEvidence()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if err := e.Run(t.Context(), p, r); err != nil {
				t.Fatal(err)
			}
			runtime.ReadMemStats(&after)
			return after.Mallocs - before.Mallocs
		}
		const more = 10_000
		short, long := allocated(1000), allocated(1000+more)
		if long > short+more/20 {
			t.Errorf("%s: %d allocations for 1000 requests, %d for %d", e.Name(), short, long, 1000+more)
		}
	}
}

func TestEvidenceAllocates(t *testing.T) {
	r := NewRecorder([]string{"v1", "v2"}, &Plan{Connections: 16})
	r.BeginEvidence()
	var e Evidence
	r.Evidence(&e)
	if n := testing.AllocsPerRun(100, func() { r.Evidence(&e) }); n != 0 {
		t.Errorf("%v allocations per look, want 0", n)
	}
}
