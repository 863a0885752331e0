package load

import (
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// An epoch of evidence ends after epochRequests or epochTime, whichever is sooner, but not before epochFloor: short enough
// that a stopping run ends soon, long enough that the ring of open epochs stays small.
const (
	epochTime     = 50 * time.Millisecond
	epochFloor    = time.Millisecond
	epochRequests = 50
	epochsOpen    = 1024 // when so many are open they become as long as epochTime, at twice as many twice as long
)

// noEpoch is the mark of a worker that has nothing outstanding.
const noEpoch = math.MaxUint64

// Recorder counts what an engine sends. The engine's workers write through scribes into shards, one per core; everyone
// may read at any time: readers hold a shard for microseconds and wait for no reply. Once Run has returned, what is read
// is exact. One Recorder serves one run.
type Recorder struct {
	plan    Plan
	labels  *labels
	peers   *labels // the addresses connected to
	targets int
	budget  *budget
	shards  []*shard
	marks   []mark // by worker

	base time.Time // of all times kept as durations

	epoch      atomic.Uint64 // the one that requests are stamped with
	epochSince atomic.Int64  // when it began, since base
	epochAfter atomic.Uint64 // how many requests had been resolved then
	resolved   atomic.Uint64 // counted in batches
	start      atomic.Uint64 // the first epoch of the evidence; noEpoch before BeginEvidence
	finished   atomic.Bool   // Run has returned

	began  atomic.Int64 // t0, since base; 0 before
	ended  atomic.Int64 // when sending stopped, since base; 0 before
	notes  notes
	events connectionCounters
	pace   paceNotes
	own    ownNotes
}

// mark is the oldest epoch of a worker's requests that are not counted yet.
type mark struct {
	oldest atomic.Uint64
	_      [56]byte // a cache line of its own: it is written for nearly every request
}

// NewRecorder makes the recorder of one run of a plan; versions are the target's labels, whose indexes come first.
func NewRecorder(versions []string, p *Plan) *Recorder {
	plan := p.withDefaults()
	shards := min(runtime.GOMAXPROCS(0), max(plan.Connections, 1))
	r := &Recorder{plan: plan, labels: newLabels(versions), peers: newLabels(nil), targets: len(versions), base: time.Now(),
		budget: newBudget(plan.MaxRequests, shards), marks: make([]mark, max(plan.Connections, shards))}
	for i := range shards {
		r.shards = append(r.shards, newShard(r, i, shards))
	}
	for i := range r.marks {
		r.marks[i].oldest.Store(noEpoch)
	}
	r.start.Store(noEpoch)
	return r
}

// now is the time since base; it never goes back.
func (r *Recorder) now() time.Duration { return time.Since(r.base) }

// Labels lists the versions by label index, the target's first; Other is the bucket of what is beyond MaxLabels.
func (r *Recorder) Labels() []string { return r.labels.names() }

// Sent is how many requests have taken their index, dials that failed included.
func (r *Recorder) Sent() uint64 { return r.budget.sent() }

// InFlight is how many requests were sent and have no outcome yet.
func (r *Recorder) InFlight() uint64 {
	done := r.countResolved()
	return max(r.budget.sent(), done) - done
}

func (r *Recorder) countResolved() (n uint64) {
	for _, s := range r.shards {
		s.mu.Lock()
		n += s.resolved
		s.mu.Unlock()
	}
	return n
}

// BeginEvidence makes the requests sent from now on the evidence, instead of any from before. The cut is by send order.
func (r *Recorder) BeginEvidence() {
	r.lock()
	defer r.unlock()
	// Requests may be stamped with the new epoch at once; they are counted only after the shards are ready for it.
	start := r.epoch.Add(1)
	r.start.Store(start)
	for _, s := range r.shards {
		s.restart(start)
	}
	r.epochSince.Store(int64(r.now()))
	r.epochAfter.Store(r.resolved.Load())
}

// Evidence writes what the verdict may rest on: the resolved prefix of the requests sent since BeginEvidence. It
// allocates nothing once e's slices are long enough, and may be called at any time from one goroutine at a time.
func (r *Recorder) Evidence(e *Evidence) {
	now := r.now()
	r.tick(now)
	r.lock()
	defer r.unlock()
	e.reset(r.labels.count())
	if r.start.Load() == noEpoch {
		return
	}
	if r.finished.Load() {
		r.epoch.Add(1) // nothing will be stamped any more: the last epoch is over
	}
	closed := r.closed()
	for _, s := range r.shards {
		s.ledger.fold(closed)
		s.ledger.sum.addTo(e)
	}
	e.Sent = r.sentInEvidence()
}

// Cut ends the running epoch now and gives a mark of the moment, for EvidenceBefore. Recorders that are cut at common
// instants have prefixes that add up to a prefix of all their requests together; prefixes that each ends where it happens
// to be resolved do not.
func (r *Recorder) Cut() uint64 {
	r.epochSince.Store(int64(r.now()))
	r.epochAfter.Store(r.resolved.Load())
	return r.epoch.Add(1)
}

// EvidenceBefore writes the evidence of the requests sent before a cut; false, and e as it was, while one of them has no
// outcome. Cuts are asked for in their order, and not after Evidence, which may have passed them.
func (r *Recorder) EvidenceBefore(cut uint64, e *Evidence) bool {
	r.lock()
	defer r.unlock()
	if r.closed() < cut {
		return false
	}
	e.reset(r.labels.count())
	if r.start.Load() == noEpoch {
		return true
	}
	for _, s := range r.shards {
		s.ledger.fold(cut)
		s.ledger.sum.addTo(e)
	}
	return true
}

// sentInEvidence counts the evidence's requests, what is in flight included. The shards are locked.
func (r *Recorder) sentInEvidence() (n uint64) {
	var all uint64
	for _, s := range r.shards {
		n += s.stamped
		all += s.resolved
	}
	return n + max(r.budget.sent(), all) - all
}

// lock stops all shards for a moment; readers hold them together, so that they see one state.
func (r *Recorder) lock() {
	for _, s := range r.shards {
		s.mu.Lock()
	}
}

func (r *Recorder) unlock() {
	for _, s := range r.shards {
		s.mu.Unlock()
	}
}

// closed is the first epoch that is not closed. It never goes back: a worker publishes its mark before it sends, and looks
// whether the epoch is still the same afterwards (see scribe.begin).
func (r *Recorder) closed() uint64 {
	closed := r.epoch.Load()
	for i := range r.marks {
		closed = min(closed, r.marks[i].oldest.Load())
	}
	return closed
}

// tick begins a new epoch if it is time. Ticks are common instants of all workers.
func (r *Recorder) tick(now time.Duration) {
	since := r.epochSince.Load()
	age := now - time.Duration(since)
	if age < epochFloor || age < epochTime && r.resolved.Load()-r.epochAfter.Load() < epochRequests {
		return
	}
	// One request that stays open for long keeps all epochs behind it open: then they become longer.
	if open := r.epoch.Load() - r.closed(); age < epochTime*time.Duration(open/epochsOpen) {
		return
	}
	if r.epochSince.CompareAndSwap(since, int64(now)) {
		r.epochAfter.Store(r.resolved.Load())
		r.epoch.Add(1)
	}
}

// begin and end frame the sending; finish comes after the drain.
func (r *Recorder) begin()  { r.began.CompareAndSwap(0, int64(max(r.now(), 1))) }
func (r *Recorder) end()    { r.ended.CompareAndSwap(0, int64(max(r.now(), 1))) }
func (r *Recorder) finish() { r.end(); r.finished.Store(true) }

// notes keeps one example in words for each outcome that needs one.
type notes struct {
	have [outcomes]atomic.Bool
	mu   sync.Mutex // guards text
	text [outcomes]string
}

func (n *notes) add(o Outcome, text func() string) {
	if n.have[o].Load() {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.have[o].Load() {
		n.text[o] = text()
		n.have[o].Store(true)
	}
}
