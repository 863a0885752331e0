package verify

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mesh-split/mesh-split/plugin/fleet"
	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/plugin/screen"
	"github.com/mesh-split/mesh-split/plugin/subject"
	core "github.com/mesh-split/mesh-split/verify"
	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/report"
	"github.com/mesh-split/mesh-split/verify/verdict"
)

// readEvery is how often the gateways' counters are read: an endpoint that goes away takes with it what it got since.
const readEvery = time.Second

// CodeMirrors is the reason of an INCONCLUSIVE whose counts hold copies.
const CodeMirrors = "mirrors"

// CodeOtherRoutes is the reason of an INCONCLUSIVE that no number of requests settles.
const CodeOtherRoutes = "other-routes"

// passive counts users' own requests in the gateways and judges them. Nothing is sent, nothing is written.
type passive struct {
	entry     route.Entry // with the target weights
	procedure *verdict.Procedure
	tallies   map[string]*route.Tally // by pod
	missed    map[string]int          // readings that failed, by pod
	others    []string
}

// count watches until the verdict is certain, or the time is over.
func (p *passive) count(ctx context.Context, ways *fleet.Fleet, most time.Duration) time.Duration {
	start := time.Now()
	end := time.NewTimer(most)
	defer end.Stop()
	for {
		var cost time.Duration
		for _, r := range ways.Counts(ctx) {
			pod := r.Pod.String()
			if r.Err != nil {
				p.missed[pod]++
				continue
			}
			cost = max(cost, r.Cost)
			if p.tallies[pod] == nil {
				p.tallies[pod] = route.NewTally(p.entry)
			}
			p.tallies[pod].Add(r.Counts)
		}
		if e := p.evidence(); e.Requests > 0 && p.procedure.Look(&e) != verdict.StopNone {
			return time.Since(start)
		}
		next := time.NewTimer(mesh.Politely(readEvery, cost))
		select {
		case <-next.C:
		case <-end.C:
			next.Stop()
			return time.Since(start)
		case <-ctx.Done():
			next.Stop()
			return time.Since(start)
		}
	}
}

// evidence sums the gateways. An error may belong to a request from before the first reading, so that there are never more
// errors than requests.
func (p *passive) evidence() verdict.Evidence {
	n := len(p.entry.Destinations)
	e := verdict.Evidence{Counts: make([]uint64, n), Failures: make([]uint64, n)}
	for _, t := range p.tallies {
		for i := range n {
			e.Counts[i] += t.Requests[i]
			e.Failures[i] += t.Errors[i]
			e.Requests += t.Requests[i]
		}
	}
	for i := range n {
		e.Failures[i] = min(e.Failures[i], e.Counts[i])
	}
	return e
}

// runPassive is verify --passive.
func (o *Options) runPassive(ctx context.Context, show *screen.Screen) ([]*trial, error) {
	s, err := subject.Load(ctx, o.Client, o.Name, o.Routes...)
	if err != nil {
		return nil, err
	}
	p := &passive{tallies: map[string]*route.Tally{}, missed: map[string]int{}}
	if p.entry, err = o.target(s.Entry); err != nil {
		return nil, err
	}
	if err := s.FindGateways(ctx); err != nil {
		return nil, err
	}
	config, err := o.Measure.Config()
	if err != nil {
		return nil, err
	}
	if config.Target, err = core.NewSplit(p.entry.Names(), p.entry.ByCluster()); err != nil {
		return nil, err
	}
	question, err := config.Question()
	if err != nil {
		return nil, err
	}
	if p.procedure, err = verdict.New(question); err != nil {
		return nil, err
	}
	show.Title(s.Title()...)
	show.Line("nothing is written, nothing is sent: counting users' own requests, at most %s", report.Seconds(config.MaxTime.Seconds()))
	ways := fleet.Open(ctx, s)
	defer ways.Close()
	view, others := ways.Survey(ctx, p.entry)
	if err := view.Refusal(); err != nil {
		return nil, err
	}
	p.others = others
	started := time.Now()
	took := p.count(ctx, ways, config.MaxTime)
	view = ways.Look(context.WithoutCancel(ctx), s.Entry) // as it was while they were counted, to the end
	p.writeGateways(show, view)
	r := p.report(config, started, took)
	r.Gateways, r.Interrupted = view.Gateways(), ctx.Err() != nil
	return []*trial{{subject: s, target: p.entry, view: view, report: r}}, nil
}

// writeGateways writes a row per gateway pod: what its Envoy holds, and what it did.
func (p *passive) writeGateways(show *screen.Screen, view fleet.View) {
	width := len("config")
	for _, s := range view.Sights {
		width = max(width, len(fleet.State(s)))
	}
	left := func(cell string) string { return fmt.Sprintf("%-*s", width, cell) }
	rows := [][]string{append([]string{"gateway pod", left("config"), "requests"}, p.entry.Names()...)}
	for _, s := range view.Sights {
		row := []string{report.Safe(s.Pod.String()), left(fleet.State(s)), "–"}
		t := p.tallies[s.Pod.String()]
		for i := range p.entry.Destinations {
			share := "–"
			if t != nil {
				row[2] = report.Count(t.Sum())
				if t.Sum() > 0 {
					share = report.Exact(float64(t.Requests[i])/float64(t.Sum()), 1)
				}
			}
			row = append(row, share)
		}
		rows = append(rows, row)
	}
	show.Line("")
	report.WriteColumns(show.Out(), rows)
}

// report judges and says what cannot be seen this way.
func (p *passive) report(config core.Config, started time.Time, took time.Duration) *core.Report {
	e := p.evidence()
	r := &core.Report{APIVersion: report.APIVersion, Kind: report.Kind, StartedAt: started.UTC().Format(time.RFC3339), Confidence: config.Confidence,
		Outcomes: map[string]uint64{}, Requests: report.Requests{Evidence: e.Requests},
		Load: report.Load{Engine: report.Passive, Requests: e.Requests, Seconds: took.Seconds()}}
	if took > 0 {
		r.Load.RequestsPerSecond = float64(e.Requests) / took.Seconds()
	}
	for i, name := range p.entry.Names() {
		target := config.Target.Share(name)
		v := report.Version{Name: name, Target: &target, Requests: e.Counts[i], Errors: e.Failures[i]}
		if e.Requests > 0 {
			v.Observed = float64(v.Requests) / float64(e.Requests)
		}
		r.Versions = append(r.Versions, v)
	}
	if e.Requests == 0 {
		r.Verdict = verdict.Inconclusive.String()
		r.Reasons = []report.Reason{{Code: verdict.CodeNoEvidence, Message: "no user's request came in " + report.Seconds(took.Seconds()) + "; wait longer with --max-time, or send load: leave out --passive"}}
		return r
	}
	d := p.procedure.Decide(&e, nil)
	r.Verdict, r.CertifiedWithin = d.Verdict.String(), &d.CertifiedWithin
	for _, reason := range d.Reasons {
		r.Reasons = append(r.Reasons, report.Reason{Code: reason.Code, Message: reason.Message})
	}
	for i := range r.Versions {
		if i < len(d.Intervals) {
			r.Versions[i].Interval, r.Versions[i].Tolerance = &d.Intervals[i], &d.Tolerance[i]
		}
		if i < len(d.ErrorRateUpper) {
			r.Versions[i].ErrorRateUpper = &d.ErrorRateUpper[i]
		}
	}
	p.admit(r)
	return r
}

// admit says what the counters do not tell, and takes back a verdict about shares that other routes have a part in. A
// version that fails fails by whatever route it was asked.
func (p *passive) admit(r *core.Report) {
	if len(p.others) > 0 && !slices.Contains([]string{verdict.CodeErrors, verdict.CodeLatency}, r.Reasons[0].Code) {
		r.Verdict = verdict.Inconclusive.String()
		r.Reasons = append([]report.Reason{{Code: CodeOtherRoutes, Message: fmt.Sprintf("these routes send to the same destinations in other shares, and their requests cannot be told apart: %s",
			strings.Join(p.others, ", "))}}, r.Reasons...)
	}
	restarts, gone := 0, 0
	for _, t := range p.tallies {
		restarts, gone = restarts+t.Restarts, gone+t.Gone
	}
	if restarts > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("counters of gateways began anew %d times: what came just before is not counted", restarts))
	}
	if gone > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%d endpoints went away: their last second is not counted", gone))
	}
	for pod, n := range p.missed {
		r.Warnings = append(r.Warnings, fmt.Sprintf("gateway %s could not be read %d times", pod, n))
	}
	p.admitMirrors(r)
	r.Warnings = append(r.Warnings, "a gateway's retries are counted as requests of their own")
}

// admitMirrors says where copies go. Those to other clusters are in none of the counts; those to a destination of the entry are
// counted there like requests, so that shares say nothing.
func (p *passive) admitMirrors(r *core.Report) {
	for _, m := range p.entry.Mirrors() {
		if !m.Own {
			r.Warnings = append(r.Warnings, "the route mirrors requests to "+m.To+": those copies are left out")
			continue
		}
		message := "the route mirrors requests to " + m.To + ", one of its own destinations: copies are counted there and cannot be told apart"
		if slices.Contains([]string{verdict.CodeErrors, verdict.CodeLatency}, r.Reasons[0].Code) {
			r.Warnings = append(r.Warnings, message)
			continue
		}
		r.Verdict = verdict.Inconclusive.String()
		r.Reasons = append([]report.Reason{{Code: CodeMirrors, Message: message}}, r.Reasons...)
	}
	if _, aborted := p.entry.InjectedFaults(); aborted > 0 {
		r.Warnings = append(r.Warnings, "the route injects faults: what the gateway aborts reaches no version and is not counted")
	}
}

// refuseFlags refuses flags that have no meaning together.
func (o *Options) refuseFlags(changed func(string) bool) error {
	if o.Passive {
		for _, name := range []string{"url", "address", "rate", "connections", "path", "host", "identify", "watch"} {
			if changed(name) {
				return fault.Usagef("leave out one of them", "--passive sends nothing, so --%s has no meaning", name)
			}
		}
	}
	if !o.AllRoutes && len(o.Routes) < 2 {
		return nil
	}
	for _, name := range []string{"passive", "watch"} {
		if changed(name) {
			return fault.Usagef("name one route with --route", "--%s is about one route, and several are asked for", name)
		}
	}
	return nil
}
