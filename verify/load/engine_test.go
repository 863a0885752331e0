package load

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// everyEngine runs one test on each engine that speaks HTTP/1.1 over plain TCP here. All must pass the same suite.
func everyEngine(t *testing.T, f func(t *testing.T, e Engine)) {
	for _, e := range Engines() {
		t.Run(e.Name(), func(t *testing.T) {
			t.Parallel()
			f(t, e)
		})
	}
}

func get(t testing.TB) []byte {
	t.Helper()
	b, err := BuildRequest(RequestOptions{Host: "test.example"})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// runPlan sends a plan and gives the totals; every outcome must be accounted for.
func runPlan(t *testing.T, e Engine, p *Plan) (*Recorder, Snapshot, error) {
	t.Helper()
	if p.Request == nil {
		p.Request = get(t)
	}
	r := NewRecorder([]string{"v1", "v2"}, p)
	r.BeginEvidence()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second+time.Duration(p.MaxRequests)*time.Millisecond/5)
	defer cancel()
	err := e.Run(ctx, p, r)
	if ctx.Err() != nil {
		t.Fatal("the run did not end by itself")
	}
	s := r.Snapshot()
	checkSums(t, r, &s)
	return r, s, err
}

// checkSums: after the drain every request has one outcome, and all the ways to count agree.
func checkSums(t *testing.T, r *Recorder, s *Snapshot) {
	t.Helper()
	var all, routed uint64
	for _, o := range Outcomes() {
		all += s.Outcomes[o]
		if o.Routed() {
			routed += s.Outcomes[o]
		}
	}
	if all != s.Sent || r.InFlight() != 0 {
		t.Errorf("%d sent, but the outcomes sum to %d and %d are in flight", s.Sent, all, r.InFlight())
	}
	var labelled uint64
	for i := range s.Versions {
		labelled += s.Versions[i].Requests
	}
	if labelled+s.Unversioned.Requests != routed {
		t.Errorf("%d with and %d without a version, but %d were routed", labelled, s.Unversioned.Requests, routed)
	}
	var e, sum Evidence
	r.Evidence(&e)
	if e.Requests != routed || e.Sent != all {
		t.Errorf("evidence of %d requests, %d sent; routed were %d of %d", e.Requests, e.Sent, routed, all)
	}
	for _, c := range r.Connections() {
		sum.Requests += c.Requests
		sum.Unattributed += c.Unattributed
	}
	if sum.Requests != e.Requests || sum.Unattributed != e.Unattributed {
		t.Errorf("connections have %d requests, %d without a version; the evidence %d, %d", sum.Requests, sum.Unattributed, e.Requests, e.Unattributed)
	}
}

func only(t *testing.T, s *Snapshot, want map[Outcome]uint64) {
	t.Helper()
	for _, o := range Outcomes() {
		if s.Outcomes[o] != want[o] {
			t.Errorf("%d requests ended as %v, want %d", s.Outcomes[o], o, want[o])
		}
	}
}

// countRequests can be raised to 10^7 by go test -run TestCounts -requests 10000000.
var countRequests = flag.Uint64("requests", 100_000, "how many requests TestCounts sends on each engine")

// The counts are the server's own, per version, and the cap is exact.
func TestCounts(t *testing.T) {
	everyEngine(t, func(t *testing.T, e Engine) {
		s := serve(t, oneIn(3, 0, 0))
		n := *countRequests
		if underRace {
			n /= 10 // the detector makes all of this some ten times slower
		}
		r, snap, err := runPlan(t, e, &Plan{Addresses: []string{s.address()}, Connections: 64, MaxRequests: n})
		if err != nil {
			t.Fatal(err)
		}
		only(t, &snap, map[Outcome]uint64{Answered: n})
		if got := s.requests.Load(); uint64(got) != n {
			t.Errorf("the server saw %d requests, want %d", got, n)
		}
		var ev Evidence
		r.Evidence(&ev)
		if int64(ev.Counts[0]) != s.v1.Load() || int64(ev.Counts[1]) != s.v2.Load() {
			t.Errorf("counted %v, the server %d and %d", ev.Counts, s.v1.Load(), s.v2.Load())
		}
		if snap.Connections.Opened != 64 {
			t.Errorf("%d connections opened, want 64", snap.Connections.Opened)
		}
	})
}

// With every fault of a server mixed in, the counts still are the server's.
func TestCountsWithFaults(t *testing.T) {
	everyEngine(t, func(t *testing.T, e Engine) {
		var answered, resets, cut, broken atomic.Int64
		s := serve(t, func(p *peer) {
			for p.next() {
				switch n := p.number; {
				case n%101 == 0:
					resets.Add(1)
					return
				case n%103 == 0:
					cut.Add(1)
					_, _ = p.Write(replyV2[:len(replyV2)-1])
					return
				case n%107 == 0:
					broken.Add(1)
					_, _ = p.Write([]byte("HTTP/1.1 200 OK\r\nbad line\r\n"))
					return
				default:
					answered.Add(1)
					if !p.answer(n%2 == 0) {
						return
					}
				}
			}
		})
		const n = 20_000
		r, snap, err := runPlan(t, e, &Plan{Addresses: []string{s.address()}, Connections: 16, MaxRequests: n})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.requests.Load(); got != n {
			t.Errorf("the server saw %d requests, want %d", got, n)
		}
		o := &snap.Outcomes
		for _, row := range []struct {
			name string
			got  uint64
			want int64
		}{{"answered", o[Answered], answered.Load()}, {"resets", o[Reset] + o[ResetReused], resets.Load()},
			{"truncated", o[Truncated], cut.Load()}, {"malformed", o[Malformed], broken.Load()}} {
			if int64(row.got) != row.want {
				t.Errorf("%s: %d, the server made %d", row.name, row.got, row.want)
			}
		}
		var ev Evidence
		r.Evidence(&ev)
		if int64(ev.Counts[1]) != s.v2.Load()+cut.Load() || int64(ev.Failures[1]) != cut.Load() {
			t.Errorf("v2 has %d requests and %d failures, want %d and %d: a reply that stops half-way is v2's failure",
				ev.Counts[1], ev.Failures[1], s.v2.Load()+cut.Load(), cut.Load())
		}
	})
}

// Ten requests, three on a connection, are four connections; the last request of each says that it is the last.
func TestReconnect(t *testing.T) {
	everyEngine(t, func(t *testing.T, e Engine) {
		var said atomic.Int64
		s := serve(t, func(p *peer) {
			for {
				head, ok := p.request()
				if !ok {
					return
				}
				last := strings.Contains(string(head), "Connection: close\r\n")
				if last {
					said.Add(1)
				}
				if !p.answer(false) || last {
					return
				}
			}
		})
		_, snap, err := runPlan(t, e, &Plan{Addresses: []string{s.address()}, Connections: 1, MaxRequests: 10, ConnRequests: 3})
		if err != nil {
			t.Fatal(err)
		}
		only(t, &snap, map[Outcome]uint64{Answered: 10})
		if s.conns.Load() != 4 || said.Load() != 3 || snap.Connections.Reconnected != 3 {
			t.Errorf("%d connections, %d said close, %d reconnected; want 4, 3, 3", s.conns.Load(), said.Load(), snap.Connections.Reconnected)
		}
	})
}

// Connections are spread over all addresses.
func TestAddresses(t *testing.T) {
	everyEngine(t, func(t *testing.T, e Engine) {
		a, b := serve(t, oneIn(2, 0, 0)), serve(t, oneIn(2, 0, 0))
		r, snap, err := runPlan(t, e, &Plan{Addresses: []string{a.address(), b.address()}, Connections: 6, MaxRequests: 600})
		if err != nil {
			t.Fatal(err)
		}
		only(t, &snap, map[Outcome]uint64{Answered: 600})
		if a.conns.Load() != 3 || b.conns.Load() != 3 {
			t.Errorf("%d and %d connections, want 3 and 3", a.conns.Load(), b.conns.Load())
		}
		for _, p := range r.Peers() {
			s := map[string]*server{a.address(): a, b.address(): b}[p.Address]
			if s == nil || int64(p.Requests) != s.requests.Load() || int64(p.Counts[1]) != s.v2.Load() {
				t.Errorf("evidence by address %+v differs from what that server saw", p)
			}
		}
	})
}

// More versions than are told apart share one bucket.
func TestManyLabels(t *testing.T) {
	everyEngine(t, func(t *testing.T, e Engine) {
		s := serve(t, func(p *peer) {
			for p.next() {
				if _, err := p.Write(reply(fmt.Sprint("build-", p.number), "")); err != nil {
					return
				}
			}
		})
		r, _, err := runPlan(t, e, &Plan{Addresses: []string{s.address()}, Connections: 4, MaxRequests: 100})
		if err != nil {
			t.Fatal(err)
		}
		var ev Evidence
		r.Evidence(&ev)
		names := r.Labels()
		if len(names) != MaxLabels+1 || names[MaxLabels] != Other || len(ev.Counts) != len(names) || ev.Counts[MaxLabels] != 70 {
			t.Errorf("labels %q with counts %v; want 32 and \"other\" with 70", names, ev.Counts)
		}
	})
}

func await(t *testing.T, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited 5 s in vain")
		}
	}
}
