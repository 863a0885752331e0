package load

import (
	"math"
	"testing"
	"time"
)

// At a constant rate the rate is kept, and every connection gets its share: a stale gateway must not hide behind hot ones. Where the
// machine is so busy that both ends stand still for a fifth of the second, the shares are its doing, so the best of five counts.
func TestPacing(t *testing.T) {
	everyEngine(t, func(t *testing.T, e Engine) {
		spread := math.Inf(1)
		for try := 0; try < 5 && spread > 1.5; try++ {
			spread = min(spread, pacing(t, e))
		}
		if spread > 1.5 {
			t.Errorf("max/min requests on a connection is %.2f, above 1.5", spread)
		}
	})
}

// pacing sends for a second and gives the most requests on a connection over the least.
func pacing(t *testing.T, e Engine) (spread float64) {
	t.Helper()
	s := serve(t, oneIn(3, 0, 0))
	r, snap, err := runPlan(t, e, &Plan{Addresses: []string{s.address()}, Connections: 32, Rate: 1000, MaxRequests: 1000})
	if err != nil {
		t.Fatal(err)
	}
	only(t, &snap, map[Outcome]uint64{Answered: 1000})
	if took := snap.Elapsed; took < 990*time.Millisecond || took > 1010*time.Millisecond+snap.Lag.Max {
		t.Errorf("1000 requests at 1000/s took %v, lag up to %v", took, snap.Lag.Max)
	}
	least, most := uint64(1<<62), uint64(0)
	for _, c := range r.Connections() {
		least, most = min(least, c.Requests), max(most, c.Requests)
	}
	t.Logf("%d to %d requests on a connection; lag p50 %v p99 %v max %v, %.1f requests/s", least, most,
		snap.Lag.Quantile(0.5), snap.Lag.Quantile(0.99), snap.Lag.Max, snap.RateAchieved)
	return float64(most) / float64(least)
}

// A frozen server shows in the response time, which counts from the intended start, and not in most service times.
func TestPause(t *testing.T) {
	everyEngine(t, func(t *testing.T, e Engine) {
		var from time.Time
		gate := make(chan struct{})
		s := serve(t, func(p *peer) {
			for p.next() {
				<-gate
				p.answer(false)
				if d := time.Since(from); d > 500*time.Millisecond && d < time.Second {
					time.Sleep(time.Second - d)
				}
			}
		})
		from = time.Now()
		close(gate)
		_, snap, err := runPlan(t, e, &Plan{Addresses: []string{s.address()}, Connections: 16, Rate: 500, MaxRequests: 1000})
		if err != nil {
			t.Fatal(err)
		}
		v1 := &snap.Versions[0]
		// 250 of 1000 slots fell into the pause; the unluckiest tenth of these waited over 0.45 s.
		if p := v1.Response.Quantile(0.99); p < 380*time.Millisecond || p > 700*time.Millisecond {
			t.Errorf("response time p99 %v, want some 0.48 s", p)
		}
		if p := v1.Service.Quantile(0.95); p > 50*time.Millisecond {
			t.Errorf("service time p95 %v, want under 50 ms", p)
		}
		if !snap.Behind || snap.Cause != CauseFarSide {
			t.Errorf("behind %t because of %q, want because of the far side", snap.Behind, snap.Cause)
		}
	})
}

// With too few connections the rate is missed; the cause and the remedy are named.
func TestBehind(t *testing.T) {
	everyEngine(t, func(t *testing.T, e Engine) {
		s := serve(t, oneIn(1, 0, 20*time.Millisecond))
		_, snap, err := runPlan(t, e, &Plan{Addresses: []string{s.address()}, Connections: 2, Rate: 500, MaxRequests: 100})
		if err != nil {
			t.Fatal(err)
		}
		// 500/s × 20 ms × 1.2 = 12, or more where the sleep took longer.
		want := int(math.Ceil(500 * snap.Versions[1].Service.Mean().Seconds() * 1.2))
		if !snap.Behind || snap.Cause != CauseConnections || snap.ConnectionsNeeded != want || want < 12 {
			t.Errorf("behind %t because of %q, %d connections needed; want because of connections, %d needed",
				snap.Behind, snap.Cause, snap.ConnectionsNeeded, want)
		}
	})
}

// A far side that asks for less gets less, and the reader is told.
func TestBackoff(t *testing.T) {
	everyEngine(t, func(t *testing.T, e Engine) {
		s := serve(t, func(p *peer) {
			for p.next() {
				if p.number == 100 {
					_, _ = p.Write([]byte("HTTP/1.1 503 No\r\nserver: envoy\r\nx-envoy-overloaded: true\r\ncontent-length: 0\r\n\r\n"))
					continue
				}
				p.answer(false)
			}
		})
		_, snap, err := runPlan(t, e, &Plan{Addresses: []string{s.address()}, Connections: 8, Rate: 1000, MaxRequests: 300})
		if err != nil {
			t.Fatal(err)
		}
		if snap.Slowed != 1 || len(snap.Backoffs) != 1 || snap.Backoffs[0].From != 1000 || snap.Backoffs[0].To != 500 {
			t.Fatalf("slowed %d times: %+v; want once, 1000 to 500", snap.Slowed, snap.Backoffs)
		}
		if got, want := snap.Elapsed.Seconds(), 0.1+0.4; got < want-0.02 || got > want+0.15 {
			t.Errorf("300 requests took %.3f s, want 100 at 1000/s and 200 at 500/s: %.1f s", got, want)
		}
		if snap.Gateway[503] != 1 {
			t.Errorf("gateway replies %v, want one 503", snap.Gateway)
		}
	})
}

// A closed loop that is asked for less becomes a constant rate of half of what it was.
func TestBackoffClosedLoop(t *testing.T) {
	everyEngine(t, func(t *testing.T, e Engine) {
		s := serve(t, func(p *peer) {
			for p.next() {
				time.Sleep(2 * time.Millisecond)
				if p.number == 200 {
					_, _ = p.Write([]byte("HTTP/1.1 429 Slow\r\ncontent-length: 0\r\n\r\n"))
					continue
				}
				p.answer(false)
			}
		})
		_, snap, err := runPlan(t, e, &Plan{Addresses: []string{s.address()}, Connections: 2, MaxRequests: 400})
		if err != nil {
			t.Fatal(err)
		}
		if snap.Slowed != 1 || snap.Backoffs[0].Cause != "status 429" {
			t.Fatalf("slowed %d times: %+v", snap.Slowed, snap.Backoffs)
		}
		if b := snap.Backoffs[0]; b.To < b.From*0.49 || b.To > b.From*0.51 {
			t.Errorf("from %.0f to %.0f requests/s, want half", b.From, b.To)
		}
		before := snap.Backoffs[0].At.Seconds()
		if got, want := snap.Elapsed.Seconds()-before, 2*before; got < 0.8*want {
			t.Errorf("the second 200 requests took %.3f s, the first %.3f s; want twice as long", got, before)
		}
	})
}

func TestSchedule(t *testing.T) {
	for _, row := range []struct {
		name string
		s    schedule
		i    uint64
		at   time.Duration
	}{
		{"constant", schedule{rate: 250}, 250, time.Second},
		{"from a later request on", schedule{rate: 10, from: 100, start: time.Minute}, 105, time.Minute + 500*time.Millisecond},
		{"the first of a ramp", schedule{rate: 100, ramp: 10 * time.Second}, 0, 0},
		{"in a ramp: √(2·125·10/100)", schedule{rate: 100, ramp: 10 * time.Second}, 125, 5 * time.Second},
		{"the end of a ramp: R·D/2 = 500", schedule{rate: 100, ramp: 10 * time.Second}, 500, 10 * time.Second},
		{"behind a ramp", schedule{rate: 100, ramp: 10 * time.Second}, 600, 11 * time.Second},
	} {
		if got := row.s.at(row.i); (got - row.at).Abs() > time.Microsecond {
			t.Errorf("%s: request %d at %v, want %v", row.name, row.i, got, row.at)
		}
		for _, i := range []uint64{row.i, row.i + 1, row.i + 7} {
			// Just after request i is due, i+1 requests are.
			if got := row.s.due(row.s.at(i) + time.Microsecond); got != i+1 {
				t.Errorf("%s: %d due when request %d is, want %d", row.name, got, i, i+1)
			}
		}
	}
	if got := (schedule{rate: 100, ramp: 10 * time.Second}).rateAt(5 * time.Second); got != 50 {
		t.Errorf("half-way up a ramp to 100 the rate is %v", got)
	}
	if got := (schedule{}).eased(0, 0, 1.5).rate; got != 1 {
		t.Errorf("halving 1.5/s gives %v, want no less than 1", got)
	}
}
