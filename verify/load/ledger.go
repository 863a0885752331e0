package load

// ledger keeps the evidence of a resolved prefix of the send order in memory that does not grow with the run.
//
// Requests are stamped with an epoch before their first octet leaves. An epoch is closed when a later one has begun and
// all its requests have outcomes; the workers' marks tell (Recorder.closed). The evidence is the sum over the closed epochs
// before the first open one: a prefix of the send order, whatever the order of the replies, so a slow version is not
// under-counted while its replies are under way. Not safe for concurrent use. The zero ledger begins with epoch 0.
type ledger struct {
	from   uint64  // the first epoch that is not folded into sum
	start  uint64  // epochs before it are no evidence
	ring   []tally // by epoch modulo its length, a power of two
	sum    sums
	latest uint64 // the highest epoch seen, plus 1
}

// add counts an outcome of a request stamped with the epoch: its version's index, Unattributed or NeverRouted.
func (l *ledger) add(at uint64, label int, flaws Flaws) { l.at(at).add(label, flaws) }

func (t *tally) add(label int, flaws Flaws) {
	t.resolved++
	switch {
	case label == Unattributed:
		t.unattributed++
		t.hiddenSlow += uint32(flaws & Slow / Slow)
		t.hiddenErrors += uint32(flaws & Erred / Erred)
	case label >= 0:
		t.counts[label]++
		t.failures[label] += uint32(flaws & Failed / Failed)
		t.slow[label] += uint32(flaws & Slow / Slow)
	}
}

// fold moves the epochs before closed into the sum.
func (l *ledger) fold(closed uint64) {
	for ; l.from < closed; l.from++ {
		if l.from >= l.latest {
			l.from = closed // there is nothing in the rest
			return
		}
		e := &l.ring[l.from&uint64(len(l.ring)-1)]
		if l.from >= l.start && e.resolved > 0 {
			l.sum.add(e)
		}
		*e = tally{}
	}
}

// restart makes the epochs from start on the evidence and forgets what was counted for others.
func (l *ledger) restart(start uint64) { l.start, l.sum = start, sums{} }

// at is the place of an epoch. Only a time-out's worth of epochs is open at once, which bounds the ring.
func (l *ledger) at(e uint64) *tally {
	if e < l.from {
		panic("load: a request of an epoch that is closed")
	}
	if e-l.from >= uint64(len(l.ring)) {
		l.grow(e - l.from + 1)
	}
	l.latest = max(l.latest, e+1)
	return &l.ring[e&uint64(len(l.ring)-1)]
}

func (l *ledger) grow(need uint64) {
	size := uint64(64)
	for size < need {
		size *= 2
	}
	ring := make([]tally, size)
	for e := l.from; e < l.latest; e++ {
		ring[e&(size-1)] = l.ring[e&uint64(len(l.ring)-1)]
	}
	l.ring = ring
}

// window knows the oldest epoch of a worker's requests that are not yet in a ledger.
type window struct {
	from  uint64 // no request is older
	to    uint64 // and none is as new
	count int
	ring  []uint32
}

func (w *window) open(e uint64) {
	if w.count == 0 {
		w.from, w.to = e, e
	}
	if size := uint64(len(w.ring)); e-w.from >= size {
		ring := make([]uint32, max(4, 2*size))
		for uint64(len(ring)) <= e-w.from {
			ring = make([]uint32, 2*len(ring))
		}
		for i := w.from; i < w.to; i++ {
			ring[i&uint64(len(ring)-1)] = w.ring[i&(size-1)]
		}
		w.ring = ring
	}
	w.ring[e&uint64(len(w.ring)-1)]++
	w.to = max(w.to, e+1)
	w.count++
}

func (w *window) done(e uint64) {
	w.ring[e&uint64(len(w.ring)-1)]--
	w.count--
	for w.from < w.to && w.ring[w.from&uint64(len(w.ring)-1)] == 0 {
		w.from++
	}
}
