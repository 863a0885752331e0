package load

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A ledger equals its definition: the sum over the closed epochs before the first open one, whatever the order of replies
// and of looks, and though it forgets what it has folded. The vectors of evidence prefixes are run in hack/vectors.
func TestLedger(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type request struct {
			epoch    uint64
			label    int
			failed   bool
			slow     bool
			resolved bool
		}
		var l Ledger
		var all []request
		var current, closed uint64
		start := rapid.Uint64Range(0, 3).Draw(t, "start")
		l.restart(start)
		var got Evidence
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			switch rapid.IntRange(0, 4).Draw(t, "step") {
			case 0:
				current += rapid.Uint64Range(1, 90).Draw(t, "epochs")
			case 1, 2:
				all = append(all, request{epoch: current, label: rapid.IntRange(-2, 2).Draw(t, "label"), failed: rapid.Bool().Draw(t, "failed"), slow: rapid.Bool().Draw(t, "slow")})
				l.Open(current)
			case 3:
				if len(all) == 0 {
					continue
				}
				if r := &all[rapid.IntRange(0, len(all)-1).Draw(t, "which")]; !r.resolved {
					r.resolved = true
					l.Resolve(r.epoch, r.label, flaws(r.failed, r.slow))
				}
			case 4:
				want := current
				for _, r := range all {
					if !r.resolved {
						want = min(want, r.epoch)
					}
				}
				if closed = l.Prefix(current); closed != want {
					t.Fatalf("%d epochs are closed, want %d", closed, want)
				}
				var n, u uint64
				var counts, failures, slow [3]uint64
				var hiddenSlow uint64
				for _, r := range all {
					if r.epoch >= closed || r.epoch < start {
						continue
					}
					switch {
					case r.label == Unattributed:
						u++
						n++
						if r.slow {
							hiddenSlow++
						}
					case r.label >= 0:
						n++
						counts[r.label]++
						if r.failed {
							failures[r.label]++
						}
						if r.slow {
							slow[r.label]++
						}
					}
				}
				l.Evidence(&got, 3)
				if got.Requests != n || got.Unattributed != u || [3]uint64(got.Counts) != counts || [3]uint64(got.Failures) != failures ||
					[3]uint64(got.Slow) != slow || got.UnattributedSlow != hiddenSlow {
					t.Fatalf("evidence %+v, want n %d u %d counts %v failures %v slow %v", got, n, u, counts, failures, slow)
				}
			}
		}
	})
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

func flaws(failed, slow bool) (f Flaws) {
	if failed {
		f |= Failed
	}
	if slow {
		f |= Slow
	}
	return f
}
