package load

import (
	"context"
	"testing"
)

// Totals of two runs add up by name, though each met the versions in another order; every sum is still consistent.
func TestTotalsAdd(t *testing.T) {
	run := func(targets []string, every int64) Totals {
		s := serve(t, oneIn(every, 0, 0))
		p := &Plan{Request: get(t), Addresses: []string{s.address()}, Connections: 4, MaxRequests: 600, Rate: 6000}
		r := NewRecorder(targets, p)
		r.BeginEvidence()
		if err := Portable().Run(t.Context(), p, r); err != nil {
			t.Fatal(err)
		}
		return r.Totals()
	}
	a, b := run([]string{"v1", "v2"}, 3), run([]string{"v2", "v3"}, 2)
	var sum Totals
	sum.Add(&a)
	sum.Add(&b)
	want := map[string]uint64{"v1": 400 + 300, "v2": 200 + 300, "v3": 0}
	for i, name := range sum.Labels {
		if sum.Evidence.Counts[i] != want[name] || sum.Snapshot.Versions[i].Requests != want[name] || sum.Snapshot.Versions[i].Service.Count != want[name] {
			t.Errorf("%s has %d requests of evidence and %d in all, want %d", name, sum.Evidence.Counts[i], sum.Snapshot.Versions[i].Requests, want[name])
		}
	}
	if sum.Evidence.Requests != 1200 || sum.Snapshot.Sent != 1200 || sum.Snapshot.Outcomes[Answered] != 1200 || sum.Snapshot.RateAsked != 12000 {
		t.Errorf("%d requests of evidence, %d sent, want 1200; %v/s asked", sum.Evidence.Requests, sum.Snapshot.Sent, sum.Snapshot.RateAsked)
	}
	if len(sum.Connections) != 8 || len(sum.Peers) != 2 || sum.Snapshot.Lag.Count != 1200 {
		t.Errorf("%d connections, %d addresses, %d lags; want 8, 2, 1200", len(sum.Connections), len(sum.Peers), sum.Snapshot.Lag.Count)
	}
}

// The evidence before a cut is there once every request sent before it has its outcome, and holds no later one.
func TestEvidenceBefore(t *testing.T) {
	everyEngine(t, func(t *testing.T, e Engine) {
		release := make(chan struct{})
		s := serve(t, func(p *peer) {
			for p.next() {
				if p.number == 5 {
					<-release
				}
				p.answer(false)
			}
		})
		p := &Plan{Request: get(t), Addresses: []string{s.address()}, Connections: 2, Rate: 100}
		r := NewRecorder([]string{"v1"}, p)
		r.BeginEvidence()
		ctx, cancel := context.WithCancel(t.Context())
		over := make(chan error, 1)
		go func() { over <- e.Run(ctx, p, r) }()
		await(t, func() bool { return s.requests.Load() >= 7 }) // the fifth waits
		cut, upTo := r.Cut(), s.requests.Load()
		await(t, func() bool { return s.requests.Load() >= upTo+10 })
		var ev Evidence
		if r.EvidenceBefore(cut, &ev) {
			t.Errorf("%d requests of evidence while one sent before the cut has no outcome", ev.Requests)
		}
		close(release)
		await(t, func() bool { return r.EvidenceBefore(cut, &ev) })
		if int64(ev.Requests) < upTo || int64(ev.Requests) > upTo+2 { // one may leave between the cut and the server's count
			t.Errorf("%d requests before the cut, want %d", ev.Requests, upTo)
		}
		first := ev.Requests
		next := r.Cut()
		await(t, func() bool { return r.EvidenceBefore(next, &ev) })
		if ev.Requests <= first {
			t.Errorf("%d requests before a later cut, %d before the first", ev.Requests, first)
		}
		cancel()
		if err := <-over; err != nil {
			t.Fatal(err)
		}
		if total := r.Totals(); total.Evidence.Requests != uint64(s.requests.Load()) {
			t.Errorf("%d requests in the end, the server saw %d", total.Evidence.Requests, s.requests.Load())
		}
	})
}
