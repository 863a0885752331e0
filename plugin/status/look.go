package status

import (
	"context"
	"fmt"
	"maps"
	"os"
	"time"

	"github.com/mesh-split/mesh-split/plugin/fleet"
	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/plugin/subject"
	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/report"
	"github.com/mesh-split/mesh-split/verify/verdict"
)

// looker looks at one entry, once or again and again, over ways that stay open between looks.
type looker struct {
	options *Options
	subject *subject.Subject
	ways    *fleet.Fleet            // nil with --dump
	tallies map[string]*route.Tally // by pod, since the weights were last seen to change
	of      map[string]string       // the weights that the tallies are of, by pod; "" is the object
	others  []string
}

func (o *Options) begin(ctx context.Context) (*looker, error) {
	s, err := subject.Load(ctx, o.Client, o.Name, o.Route)
	if err != nil {
		return nil, err
	}
	l := &looker{options: o, subject: s}
	if len(o.Dumps) > 0 {
		return l, nil
	}
	if err := s.FindGateways(ctx); err != nil {
		return nil, err
	}
	l.ways = fleet.Open(ctx, s)
	return l, nil
}

func (l *looker) close() {
	if l.ways != nil {
		l.ways.Close()
	}
}

// look reads what is declared, the object as it was loaded, and what the gateways hold.
func (l *looker) look(ctx context.Context) (p picture, err error) {
	s := l.subject
	p.entry = s.Entry
	p.view.Entry = s.Entry
	w := route.LastWriter(s.Object.Object, s.Entry.Section)
	if w != nil {
		p.writer = w.String()
	}
	elsewhere, unread := l.options.Client.Remembered(ctx, s.Object)
	if unread == nil || w == nil || w.Manager != route.FieldManager { // else it may be a change of our own that is remembered there
		p.overwritten = route.Overwritten(s.Entry, elsewhere)
	}
	if p.declared, err = l.options.declared(s); err != nil {
		return p, err
	}
	if l.ways == nil {
		p.view.Sights, err = l.options.files(s.Entry)
		return p, err
	}
	var others []string
	if l.options.Observe == 0 {
		p.view = l.ways.Look(ctx, s.Entry)
	} else {
		if p.view, others = l.ways.Survey(ctx, s.Entry); p.view.Refusal() == nil {
			l.renew(ctx, p, others)
		}
		p.others = l.others
	}
	l.ways.Blame(ctx, fleet.Views{p.view})
	p.unread = fleet.Unread(ctx, s, p.view)
	return p, nil
}

// command is a command about the entry; that of the history is about the whole object.
func (l *looker) command(verb string, args ...string) string {
	if verb == "history" {
		return l.subject.Command(verb, args...)
	}
	return l.subject.RouteCommand(verb, args...)
}

// renew begins to count anew when the object or a gateway has other weights than before: counts of both would tell of neither.
// A gateway that is new, or that cannot be read for once, changes nothing.
func (l *looker) renew(ctx context.Context, p picture, others []string) {
	now := map[string]string{"": fleet.Weights(p.entry.Weights())}
	for _, sight := range p.view.Sights {
		if sight.Err == nil {
			now[sight.Pod.String()] = fmt.Sprint(sight.State, sight.Weights)
		}
	}
	anew := l.tallies == nil
	for name, weights := range now {
		before, known := l.of[name]
		anew = anew || known && before != weights
	}
	if l.of == nil {
		l.of = now
	}
	maps.Copy(l.of, now)
	l.others = others
	if !anew {
		return
	}
	l.tallies = map[string]*route.Tally{}
	l.count(ctx)
}

// count reads what the gateways have counted, and gives how long the slowest was busy with that.
func (l *looker) count(ctx context.Context) (cost time.Duration) {
	for _, r := range l.ways.Counts(ctx) {
		pod := r.Pod.String()
		if r.Err != nil {
			continue
		}
		cost = max(cost, r.Cost)
		if l.tallies[pod] == nil {
			l.tallies[pod] = route.NewTally(l.subject.Entry)
		}
		l.tallies[pod].Add(r.Counts)
	}
	return cost
}

// observe counts users' requests for as long as --observe says.
func (l *looker) observe(ctx context.Context, p *picture) error {
	if l.tallies == nil {
		return nil
	}
	timer := time.NewTimer(l.options.Observe)
	select {
	case <-timer.C:
	case <-ctx.Done():
		timer.Stop()
		return ctx.Err()
	}
	l.count(ctx)
	l.tell(p)
	return nil
}

// tell sums what was counted so far.
func (l *looker) tell(p *picture) {
	p.observed, p.errors = make([]uint64, len(p.entry.Destinations)), make([]uint64, len(p.entry.Destinations))
	for _, t := range l.tallies {
		for i := range p.observed {
			p.observed[i] += t.Requests[i]
			p.errors[i] += min(t.Errors[i], t.Requests[i])
		}
	}
	procedure, err := verdict.New(verdict.Question{Weights: p.entry.ByCluster(), Names: p.entry.Names()})
	if err != nil {
		return // weights that no split can have: the table says so already
	}
	e := verdict.Evidence{Requests: sum(p.observed), Counts: p.observed, Failures: p.errors}
	p.off = e.Requests > 0 && procedure.Look(&e) == verdict.StopFail
}

// maxDumpFile bounds what is read of a file, in octets: the largest meshes' whole dumps are some hundred megabytes.
const maxDumpFile = 1 << 30

// files are the sights that --dump gives in place of the gateways.
func (o *Options) files(e route.Entry) (sights []mesh.Sight, err error) {
	for _, file := range o.Dumps {
		info, err := os.Stat(file)
		switch {
		case err != nil:
			return nil, fault.New(fault.Failed, "name files that hold config_dumps", "reading --dump: %w", err)
		case !info.Mode().IsRegular() || info.Size() > maxDumpFile:
			return nil, fault.New(fault.Failed, "name files that hold config_dumps", "--dump %s is no file of at most 1 GiB", report.Safe(file))
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, fault.New(fault.Failed, "name files that hold config_dumps", "reading --dump: %w", err)
		}
		dump, err := route.ParseDump(data)
		if err != nil {
			return nil, fault.New(fault.Failed, howToDump, "--dump %s: %w", report.Safe(file), err)
		}
		if len(dump.Configs) == 0 {
			return nil, fault.New(fault.Failed, howToDump, "--dump %s holds no route configuration", report.Safe(file))
		}
		sights = append(sights, fromDump(file, e, dump))
	}
	return sights, nil
}

// howToDump is what to ask somebody who may do it. pilot-agent is in every gateway pod of Istio.
const howToDump = "make one with: kubectl exec POD -n NAMESPACE -- pilot-agent request GET 'config_dump?resource=dynamic_route_configs' > FILE"
