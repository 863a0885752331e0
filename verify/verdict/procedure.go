package verdict

import (
	"math"

	"github.com/mesh-split/mesh-split/verify/stats"
)

// Procedure is one run of the decision procedure that docs/method.md explains: looks while requests are sent, one decision
// after the drain. What a look has set or dropped stays so. It is not safe for concurrent use.
type Procedure struct {
	q      Question
	bands  []stats.Band
	shares []float64 // targets
	limit  float64   // L = ln(1/alpha)

	sides   []side // two per version with a band: lower, upper
	mirror  bool   // two versions with equal bands: each side of the second is one of the first's
	outside *stats.Outside
	leak    stats.Leak
	loss    stats.Side // against "unattributed replies are at most MaxUnattributed"
	quality quality

	leakOpen bool // the leak bound is wanted and not shown yet
	leakUsed bool // the leak bound is part of this question
	hit      bool // a version of weight 0 answered
	failed   bool // some share is outside its band
	lost     bool // too many replies have no version
	broken   bool // contradictory counts, or a number that is none
	drift    float64
}

// side is one thing PASS wants shown of a version: that its share is below the upper or above the lower edge.
type side struct {
	version int
	upper   bool
	process stats.Hybrid
	latched bool
	logE    float64 // at the last look before it latched
}

// New checks the question and prepares the procedure. Errors are usage errors, all at once.
func New(q Question) (*Procedure, error) {
	q, err := q.withDefaults()
	if err != nil {
		return nil, err
	}
	p := &Procedure{q: q, bands: q.bands(), limit: math.Log(1 / q.Alpha), leak: stats.NewLeak(q.LeakBound)}
	for i, b := range p.bands {
		p.shares = append(p.shares, b.T)
		if !b.Judged() {
			p.leakUsed, p.leakOpen = true, true
			continue
		}
		p.sides = append(p.sides, side{version: i, process: stats.NewHybrid(b, false)},
			side{version: i, upper: true, process: stats.NewHybrid(b, true)})
	}
	p.outside = stats.NewOutside(p.bands)
	p.mirror = p.outside.Mirrors()
	if q.MaxUnattributed > 0 {
		p.loss = stats.Above(1, 1, q.MaxUnattributed, 1-q.MaxUnattributed)
	}
	p.quality = newQuality(q, p.bands)
	return p, nil
}

// Look takes the evidence of a resolved prefix, longer than at the last look by about 20 requests or more, and says whether
// to stop sending. It allocates nothing. Request and time budgets are the caller's.
func (p *Procedure) Look(e *Evidence) Stop {
	p.look(e)
	switch {
	case p.broken:
		return StopError
	case p.hit, p.failed, p.quality.alarmed():
		return StopFail
	case p.shown() && e.Requests >= p.q.MinRequests && !p.tooManyLost(e):
		return StopPass
	case p.lost && e.Requests >= p.q.MinRequests:
		return StopUnattributed
	}
	return StopNone
}

func (p *Procedure) look(e *Evidence) {
	if !p.consistent(e) {
		p.broken = true
		return
	}
	if e.Requests == 0 {
		return
	}
	n, u := float64(e.Requests), float64(e.Unattributed)
	p.hit = p.hit || p.zeroHit(e)
	open := p.sides
	if p.mirror && e.Foreign == 0 {
		open = p.sides[:2]
	}
	for i := range open {
		s := &open[i]
		if s.latched {
			continue
		}
		hits := float64(e.Counts[s.version])
		if s.upper {
			hits += u // the hidden version is the worst one: here, this one
		}
		s.logE = p.number(s.process.LogE(hits, n))
		s.latched = s.logE >= p.limit
	}
	if len(open) < len(p.sides) { // "v1 is below 52 %" is "v2 is above 48 %"
		for i := range 2 {
			p.sides[2+i].logE, p.sides[2+i].latched = open[1-i].logE, open[1-i].latched
		}
	}
	if p.leakOpen && !p.hit && p.number(p.leak.LogE(u, n)) >= p.limit {
		p.leakOpen = false
	}
	if p.number(p.outside.LogE(e.Counts, e.Requests, e.Unattributed)) >= p.limit {
		p.failed = true
	}
	if e.Unattributed > 0 && (p.q.MaxUnattributed == 0 || p.number(p.loss.LogE(u, n)) >= p.limit) {
		p.lost = true
	}
	if !p.hit {
		p.drift = math.Max(p.drift, p.number(stats.Drift(e.Counts, p.shares)))
	} else {
		p.drift = math.Inf(1)
	}
	p.quality.look(e)
	p.broken = p.broken || p.quality.broken
}

// number passes v on and remembers if it is none.
func (p *Procedure) number(v float64) float64 {
	if math.IsNaN(v) {
		p.broken = true
	}
	return v
}

// consistent says whether the counts of e can be counts of e.Requests requests of this question.
func (p *Procedure) consistent(e *Evidence) bool {
	if len(e.Counts) != len(p.bands) {
		return false
	}
	rest := e.Requests // subtracting cannot overflow as a sum could
	for _, c := range e.Counts {
		if c > rest {
			return false
		}
		rest -= c
	}
	if e.Foreign > rest || e.Unattributed != rest-e.Foreign {
		return false
	}
	return p.quality.consistent(e)
}

// zeroHit says whether a version of weight 0, named in the question or not, answered.
func (p *Procedure) zeroHit(e *Evidence) bool {
	if e.Foreign > 0 {
		return true
	}
	for i, c := range e.Counts {
		if c > 0 && p.shares[i] == 0 {
			return true
		}
	}
	return false
}

// shown says whether everything PASS wants has been shown.
func (p *Procedure) shown() bool {
	for i := range p.sides {
		if !p.sides[i].latched {
			return false
		}
	}
	return !p.leakOpen && p.quality.shown()
}

func (p *Procedure) tooManyLost(e *Evidence) bool {
	return float64(e.Unattributed) > p.q.MaxUnattributed*float64(e.Requests)
}
