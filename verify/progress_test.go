package verify

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/mesh-split/mesh-split/verify/load"
)

// sent is a run of 64 connections that has sent its load.
func sent(tb testing.TB) *run {
	tb.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Header().Set("x-app-version", "v1") }))
	defer s.Close()
	target, err := ParseSplit("v1=70,v2=30")
	if err != nil {
		tb.Fatal(err)
	}
	c := Config{URL: s.URL, LoadOnly: true, Target: target, Connections: 64, MaxRequests: 2000, Rate: Unpaced}.withDefaults()
	p, where, err := c.prepare(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	if err := where.speak(tb.Context(), &c, p); err != nil {
		tb.Fatal(err)
	}
	r := &run{config: c, plan: p, where: where, started: time.Now(), recorder: load.NewRecorder(c.Target.Names(), p)}
	if err := r.send(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return r
}

// A moment of the live view is taken ten times a second. That costs the load nothing measurable: less than a thousandth of
// one processor, of which the quickest of many looks tells, since a busy machine makes the others longer.
func TestProgressCostsNothing(t *testing.T) {
	r, quickest := sent(t), time.Hour
	for range 1000 {
		began := time.Now()
		if p := r.progress(false); p.Evidence == 0 || p.Shares[0] != 1 {
			t.Fatalf("progress %+v, want evidence, all of it v1", p)
		}
		quickest = min(quickest, time.Since(began))
	}
	if share := 10 * quickest.Seconds(); share > 0.001 {
		t.Errorf("a moment takes %v, ten a second are %.3f of a processor; want at most 0.001", quickest, share)
	}
}

func BenchmarkProgress(b *testing.B) {
	r := sent(b)
	for b.Loop() {
		r.progress(false)
	}
}
