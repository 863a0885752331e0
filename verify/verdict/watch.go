package verdict

import (
	"fmt"
	"math"
	"time"

	"github.com/mesh-split/mesh-split/verify/stats"
)

// DefaultFalseAlarms is the wanted mean time between false alarms of a watch.
const DefaultFalseAlarms = 7 * 24 * time.Hour

// watchBlock is the least number of requests that a watch judges together.
const watchBlock = 100

// Watch keeps checking the split after a PASS. It takes the same growing evidence as [Procedure.Look], of one run or of
// runs that follow each other, and cuts it into blocks of 100 requests or more. While shares stay in their bands, the
// expected time to a false alarm is at least what was wanted; there is no alpha, for a watch never ends.
//
// It is not safe for concurrent use.
type Watch struct {
	bands []stats.Band
	names []string
	watch *stats.Watch
	last  Evidence // at the end of the last block
	block Evidence // the last block
	alarm bool
}

// NewWatch makes a watch for the question's bands. rate is how many requests of evidence a second brings, on average;
// falseAlarms is the wanted mean time between false alarms, 0 for DefaultFalseAlarms. Errors are usage errors.
func NewWatch(q Question, rate float64, falseAlarms time.Duration) (*Watch, error) {
	q, err := q.withDefaults()
	if err != nil {
		return nil, err
	}
	if falseAlarms <= 0 {
		falseAlarms = DefaultFalseAlarms
	}
	bands := q.bands()
	blocks := math.Max(1/q.Alpha, falseAlarms.Seconds()*rate/watchBlock) // a watch is never laxer than a verdict
	k := len(bands)
	return &Watch{bands: bands, names: q.Names, watch: stats.NewWatch(bands, blocks),
		last: Evidence{Counts: make([]uint64, k)}, block: Evidence{Counts: make([]uint64, k)}}, nil
}

// Start makes the evidence so far no part of any block: what led to the PASS is no news.
func (w *Watch) Start(e *Evidence) {
	if len(e.Counts) != len(w.bands) {
		return
	}
	copy(w.last.Counts, e.Counts)
	w.last.Requests, w.last.Foreign, w.last.Unattributed = e.Requests, e.Foreign, e.Unattributed
}

// Look takes the evidence so far, and says whether to raise the alarm: FAIL, exit code 3. Evidence that has shrunk is taken
// as that of a new run. It allocates nothing.
func (w *Watch) Look(e *Evidence) bool {
	if len(e.Counts) != len(w.bands) || w.alarm {
		return w.alarm
	}
	if e.Requests < w.last.Requests {
		w.reset()
	}
	if e.Requests-w.last.Requests < watchBlock {
		return false
	}
	b := &w.block
	b.Requests, b.Foreign, b.Unattributed = e.Requests-w.last.Requests, e.Foreign-w.last.Foreign, e.Unattributed-w.last.Unattributed
	for i, c := range e.Counts {
		b.Counts[i] = c - w.last.Counts[i]
		w.last.Counts[i] = c
	}
	w.last.Requests, w.last.Foreign, w.last.Unattributed = e.Requests, e.Foreign, e.Unattributed
	w.alarm = w.watch.Block(b.Counts, b.Requests, b.Unattributed) || b.Foreign > 0
	return w.alarm
}

func (w *Watch) reset() {
	w.last = Evidence{Counts: w.last.Counts}
	clear(w.last.Counts)
}

// Reason says what raised the alarm, in the words of a FAIL. It is empty without an alarm.
func (w *Watch) Reason() Reason {
	if !w.alarm {
		return Reason{}
	}
	b := &w.block
	if b.Foreign > 0 {
		return Reason{CodeZeroWeight, fmt.Sprintf("%d of the last %d replies came from versions that the target does not name", b.Foreign, b.Requests)}
	}
	worst, furthest := 0, math.Inf(-1)
	for i, c := range b.Counts {
		if w.bands[i].T == 0 && c > 0 {
			return Reason{CodeZeroWeight, fmt.Sprintf("%s answered %d of the last %d requests; its weight is 0", w.names[i], c, b.Requests)}
		}
		if far := math.Abs(ratio(c, b.Requests) - w.bands[i].T); w.bands[i].Judged() && far > furthest {
			worst, furthest = i, far
		}
	}
	band := w.bands[worst]
	return Reason{CodeOutsideTolerance, fmt.Sprintf("%s has left %s ± %s: %s of the last %d requests", w.names[worst], digits(100*band.T),
		percent(band.D), seen(ratio(b.Counts[worst], b.Requests)), b.Requests)}
}
