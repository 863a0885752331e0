package load

import (
	"context"
	"math"
	"testing"
	"time"
)

// A run that stops awaits every reply: the share at a cut is the fast version's.
func TestStopDrains(t *testing.T) {
	everyEngine(t, func(t *testing.T, e Engine) {
		s := serve(t, oneIn(10, time.Millisecond, 20*time.Millisecond))
		r, _, err := runPlan(t, e, &Plan{Addresses: []string{s.address()}, Connections: 256, MaxRequests: 5000})
		if err != nil {
			t.Fatal(err)
		}
		var ev Evidence
		r.Evidence(&ev)
		if ev.Counts[1] != 500 { // the server answers exactly every tenth request slowly
			t.Errorf("%d of 5000 by v2, want 500", ev.Counts[1])
		}
	})
}

// The evidence under way is a prefix of the send order, so a slow version is never under-counted by its replies under way.
func TestEvidenceUnderWay(t *testing.T) {
	everyEngine(t, func(t *testing.T, e Engine) {
		s := serve(t, oneIn(10, time.Millisecond, 50*time.Millisecond))
		p := &Plan{Request: get(t), Addresses: []string{s.address()}, Connections: 64}
		r := NewRecorder([]string{"v1", "v2"}, p)
		ctx, cancel := context.WithCancel(t.Context())
		over := make(chan error, 1)
		go func() { over <- e.Run(ctx, p, r) }()
		await(t, func() bool { return s.requests.Load() > 200 })
		r.BeginEvidence()
		var ev Evidence
		looks, last := 0, uint64(0)
		for deadline := time.Now().Add(1000 * time.Millisecond); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
			r.Evidence(&ev)
			if ev.Requests < last {
				t.Fatalf("the prefix shrank from %d to %d", last, ev.Requests)
			}
			if last = ev.Requests; ev.Requests < 500 {
				continue
			}
			looks++
			// Numbers are drawn one by one by the server, nearly in send order, so the share is nearly exact: 64 may be on
			// the way to it.
			if share := float64(ev.Counts[1]) / float64(ev.Requests); math.Abs(share-0.1) > 0.1*64/500.0+0.01 {
				t.Errorf("share of v2 %.4f among %d, want 0.1", share, ev.Requests)
			}
		}
		cancel()
		if err := <-over; err != nil {
			t.Fatal(err)
		}
		if looks < 20 {
			t.Errorf("only %d looks at more than 500 requests", looks)
		}
		snap := r.Snapshot()
		r.Evidence(&ev)
		if ev.Requests >= snap.Sent || ev.Requests < last {
			t.Errorf("evidence of %d requests, %d before the drain, of %d sent with warm-up", ev.Requests, last, snap.Sent)
		}
		if int64(snap.Sent) != s.requests.Load() {
			t.Errorf("%d sent, the server saw %d", snap.Sent, s.requests.Load())
		}
	})
}

func TestDrainInFlight(t *testing.T) {
	everyEngine(t, func(t *testing.T, e Engine) {
		release := make(chan struct{})
		s := serve(t, func(p *peer) {
			for p.next() {
				<-release
				p.answer(false)
			}
		})
		p := &Plan{Request: get(t), Addresses: []string{s.address()}, Connections: 64}
		r := NewRecorder(nil, p)
		ctx, cancel := context.WithCancel(t.Context())
		over := make(chan error, 1)
		go func() { over <- e.Run(ctx, p, r) }()
		await(t, func() bool { return s.requests.Load() == 64 })
		if n := r.InFlight(); n != 64 {
			t.Errorf("%d in flight, want 64", n)
		}
		cancel()
		time.Sleep(20 * time.Millisecond)
		close(release)
		if err := <-over; err != nil {
			t.Fatal(err)
		}
		snap := r.Snapshot()
		only(t, &snap, map[Outcome]uint64{Answered: 64})
	})
}

// Abort gives up what is in flight, and says so.
func TestAbort(t *testing.T) {
	everyEngine(t, func(t *testing.T, e Engine) {
		s := serve(t, func(p *peer) {
			p.next()
			p.next() // nothing comes any more
		})
		abort := make(chan struct{})
		p := &Plan{Request: get(t), Addresses: []string{s.address()}, Connections: 8, Abort: abort}
		r := NewRecorder(nil, p)
		over := make(chan error, 1)
		go func() { over <- e.Run(t.Context(), p, r) }()
		await(t, func() bool { return s.requests.Load() == 8 })
		close(abort)
		select {
		case <-over:
		case <-time.After(2 * time.Second):
			t.Fatal("still running 2 s after the abort")
		}
		snap := r.Snapshot()
		only(t, &snap, map[Outcome]uint64{Aborted: 8})
	})
}

// The drain has a deadline of its own.
func TestDrainDeadline(t *testing.T) {
	everyEngine(t, func(t *testing.T, e Engine) {
		s := serve(t, func(p *peer) { p.next(); p.next() })
		r := NewRecorder(nil, &Plan{Connections: 4, Drain: 50 * time.Millisecond})
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		began := time.Now()
		if err := e.Run(ctx, &Plan{Request: get(t), Addresses: []string{s.address()}, Connections: 4, Drain: 50 * time.Millisecond}, r); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(began); d > time.Second {
			t.Errorf("the drain took %v, want 50 ms", d)
		}
		snap := r.Snapshot()
		only(t, &snap, map[Outcome]uint64{Aborted: 4})
	})
}
