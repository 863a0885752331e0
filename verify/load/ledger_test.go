package load

import (
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A recorder's evidence equals its definition: the sum over the closed epochs before the first open one, whatever the order of
// replies and of looks, and though it forgets what it has folded. The vectors of evidence prefixes are run in hack/vectors.
func TestEvidencePrefix(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type request struct {
			scribe   *scribe
			epoch    uint64
			label    int8
			failed   bool
			slow     bool
			resolved bool
		}
		const steps = 200
		r := NewRecorder([]string{"v1", "v2", "v3"}, &Plan{Connections: steps, MaxRequests: steps, SlowerThan: time.Nanosecond})
		var all []request
		var start, closed uint64
		var got Evidence
		for range rapid.IntRange(1, steps).Draw(t, "steps") {
			current := r.epoch.Load()
			switch rapid.IntRange(0, 5).Draw(t, "step") {
			case 0:
				for range rapid.IntRange(1, 90).Draw(t, "epochs") {
					r.Cut()
				}
			case 1, 2:
				s := r.scribe(len(all))
				r.budget.take(s.number)
				all = append(all, request{scribe: s, epoch: s.begin(), label: int8(rapid.IntRange(-2, 2).Draw(t, "label")),
					failed: rapid.Bool().Draw(t, "failed"), slow: rapid.Bool().Draw(t, "slow")})
			case 3:
				if len(all) == 0 {
					continue
				}
				if q := &all[rapid.IntRange(0, len(all)-1).Draw(t, "which")]; !q.resolved {
					q.resolved = true
					q.scribe.end(ended(q.epoch, q.label, q.failed, q.slow))
					q.scribe.flush()
				}
			case 4:
				if start == 0 && rapid.IntRange(0, 9).Draw(t, "begin") == 0 {
					r.BeginEvidence()
					start = r.epoch.Load()
				}
			case 5:
				want := current
				for _, q := range all {
					if !q.resolved {
						want = min(want, q.epoch)
					}
				}
				for closed < current && r.EvidenceBefore(closed+1, &got) {
					closed++
				}
				if r.EvidenceBefore(closed, &got); closed != want {
					t.Fatalf("%d epochs are closed, want %d", closed, want)
				}
				sum := Evidence{Counts: make([]uint64, 3), Failures: make([]uint64, 3), Slow: make([]uint64, 3)}
				for _, q := range all {
					if q.epoch < closed && start > 0 && q.epoch >= start {
						sum.count(q.label, q.failed, q.slow)
					}
				}
				got.Sent = 0 // is what was sent, under way included
				if !reflect.DeepEqual(got, sum) {
					t.Fatalf("evidence %+v, want %+v", got, sum)
				}
			}
		}
	})
}

// ended is a request's end that has the flaws wanted.
func ended(epoch uint64, label int8, failed, slow bool) result {
	res := result{epoch: epoch, label: label, status: 200, outcome: Answered}
	switch {
	case label == NeverRouted:
		res.label, res.outcome = Unattributed, DialError
	case label == Unattributed:
		res.outcome = NoLabel
	case failed:
		res.status = 500
	}
	if slow {
		res.received = 2
	}
	return res
}

// count is the definition of evidence, for one request.
func (e *Evidence) count(label int8, failed, slow bool) {
	one := func(b bool) uint64 {
		if b {
			return 1
		}
		return 0
	}
	if label == NeverRouted {
		return
	}
	e.Requests++
	if label == Unattributed {
		e.Unattributed++
		e.UnattributedFailures++
		e.UnattributedSlow += one(slow)
		return
	}
	e.Counts[label]++
	e.Failures[label] += one(failed)
	e.Slow[label] += one(slow)
}

// A window knows the oldest of what is in it.
func TestWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var w window
		var in []uint64
		current := uint64(0)
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			if len(in) == 0 || rapid.Bool().Draw(t, "open") {
				current += rapid.Uint64Range(0, 20).Draw(t, "later")
				w.open(current)
				in = append(in, current)
			} else {
				i := rapid.IntRange(0, len(in)-1).Draw(t, "which")
				w.done(in[i])
				in = append(in[:i], in[i+1:]...)
			}
			if w.count != len(in) {
				t.Fatalf("%d in the window, want %d", w.count, len(in))
			}
			for _, e := range in {
				if w.from > e {
					t.Fatalf("the oldest is %d, but %d is in the window", w.from, e)
				}
			}
			if len(in) > 0 {
				oldest := in[0]
				for _, e := range in {
					oldest = min(oldest, e)
				}
				if w.from != oldest {
					t.Fatalf("the oldest is %d, want %d", w.from, oldest)
				}
			}
		}
	})
}

// Many epochs cannot be open for long: one request that gets no reply for an hour, while others fly, keeps megabytes, not
// gigabytes.
func TestEpochsOpen(t *testing.T) {
	r := NewRecorder([]string{"v1"}, &Plan{Connections: 2})
	r.scribe(0).begin()
	for at := time.Duration(0); at < time.Hour; at += epochFloor {
		r.resolved.Add(epochRequests)
		r.tick(at)
		if at == time.Second && r.epoch.Load() < 900 {
			t.Errorf("%d epochs in a second, want one each %v", r.epoch.Load(), epochFloor)
		}
	}
	if n := r.epoch.Load() - r.closed(); n < epochsOpen || n > 16*epochsOpen {
		t.Errorf("%d epochs are open after an hour, want a few thousand", n)
	}
}
