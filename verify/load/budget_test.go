package load

import (
	"math"
	"sync"
	"sync/atomic"
	"testing"
)

// The cap is exact however many take from it, and nobody is told "empty" while something is left.
func TestBudget(t *testing.T) {
	for _, total := range []uint64{0, 1, 63, 64, 65, 10_000} {
		b := newBudget(total, 3)
		var taken atomic.Uint64
		var all sync.WaitGroup
		for i := range 9 {
			all.Go(func() {
				for b.take(i % 3) {
					taken.Add(1)
				}
				if got := b.pool.Load(); got > 0 {
					t.Errorf("told to stop with %d in the pool", got)
				}
			})
		}
		all.Wait()
		if taken.Load() != total || b.sent() != total || !b.empty() {
			t.Errorf("%d of %d taken, %d said to be sent", taken.Load(), total, b.sent())
		}
	}
}

// A feed that nobody reads never blocks; it says whose sequence has a hole, and a new connection begins afresh.
func TestFeed(t *testing.T) {
	f := feed{void: make([]uint32, 2)}
	for range feedSize {
		f.add(Change{Connection: 0, Dial: 1}, 0)
	}
	f.add(Change{Connection: 1, Dial: 1}, 1)
	if len(f.queue) != feedSize || f.void[0] != 0 || f.void[1] != 1 {
		t.Fatalf("%d queued, void %v; want %d, and connection 1 void", len(f.queue), f.void, feedSize)
	}
	f.queue = f.queue[:0]
	f.add(Change{Connection: 1, Dial: 1, Label: 1}, 1)
	f.add(Change{Connection: 1, Dial: 2, Label: 2}, 1)
	if len(f.queue) != 1 || f.queue[0].Label != 2 {
		t.Errorf("queued %+v, want only what the new connection brought", f.queue)
	}
}

// A cap beyond what is counted in 63 bits is that of 63 bits, not none at all.
func TestBudgetBeyondCounting(t *testing.T) {
	b := newBudget(math.MaxUint64, 1)
	if !b.take(0) || b.sent() != 1 || b.empty() {
		t.Errorf("of the largest cap %d were sent, empty %v; want 1, false", b.sent(), b.empty())
	}
}

func TestLabels(t *testing.T) {
	l := newLabels([]string{"v1", "v2"})
	last := 0
	for _, row := range []struct {
		label string
		index int
	}{{"v2", 1}, {"v1", 0}, {"v3", 2}, {"v2", 1}, {"v3", 2}} {
		if last = l.index([]byte(row.label), last); last != row.index {
			t.Errorf("%s has index %d, want %d", row.label, last, row.index)
		}
	}
	v2 := []byte("v2")
	if n := testing.AllocsPerRun(100, func() { l.index(v2, 0) }); n != 0 {
		t.Errorf("%v allocations to look a known label up, want 0", n)
	}
}
