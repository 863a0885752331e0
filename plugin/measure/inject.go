package measure

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mesh-split/mesh-split/plugin/fleet"
	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/plugin/screen"
	"github.com/mesh-split/mesh-split/plugin/subject"
	"github.com/mesh-split/mesh-split/verify/attribute"
	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/report"
)

// Timing of an injection. The header may take as long as a change to be live; removing it is tried on through a short outage of
// the API server.
const (
	injectTime  = 60 * time.Second
	removeTime  = 10 * time.Second
	removeAgain = time.Second
)

// Injector writes the header by which the gateways name destinations, for a Site that asks for it, and removes it.
type Injector struct {
	Subject *subject.Subject
	Ways    *fleet.Fleet
	Screen  *screen.Screen
	Manager string          // field manager
	By      string          // for the note
	At      time.Time       // for the note
	Beyond  time.Duration   // how long the run may go on before and after the measurement
	Abort   <-chan struct{} // closed: give up even the removal
}

// Injects says whether destinations are told apart by a header that is yet to be injected.
func (s *Site) Injects() bool { return s.inject }

// Plan is what is written, for a Site that asks for it. E_HEADER_TAKEN where another run measures by the header.
func (i Injector) Plan(s *Site) (*route.Plan, error) {
	c := s.config
	longest := injectTime + c.Settle + c.MaxTime + c.Watch + max(c.Drain, c.ReplyTimeout) + removeTime + i.Beyond
	return route.PlanInject(i.Subject.Entry, route.Options{By: i.By, At: i.At, Run: c.RunID, Until: i.At.Add(longest)})
}

// Inject adds the header to the entry, waits until every gateway sends it, and makes the Site read it. The subject is then as the
// header left it. After an error nothing is left behind, or the error says so.
func (i Injector) Inject(ctx context.Context, s *Site) error {
	plan, err := i.Plan(s)
	if err != nil {
		return err
	}
	err = i.add(ctx, s, plan)
	var f *fault.Error
	if err == nil || errors.As(err, &f) && f.Name == "E_HEADER_TAKEN" { // by somebody who was quicker: nothing was written
		return err
	}
	return i.End(ctx, err)
}

func (i Injector) add(ctx context.Context, s *Site, plan *route.Plan) error {
	subject := i.Subject
	for _, warning := range plan.Warnings {
		i.Screen.Warn("W_HISTORY: %s", report.Safe(warning))
	}
	patched, err := subject.Client.Patch(ctx, subject.Object, plan, mesh.PatchOptions{Manager: i.Manager})
	if err != nil {
		return err
	}
	if err := subject.Adopt(patched.After); err != nil {
		return err
	}
	waiting, cancel := context.WithTimeout(ctx, injectTime)
	defer cancel()
	view := i.Ways.Await(waiting, []route.Entry{subject.Entry.Saying()}, patched.At)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case !view.Live():
		return fault.New(fault.Inconclusive, "is istiod well? kubectl mesh-split status "+subject.Object.Argument()+" shows each gateway",
			"the injected header is not live in every gateway after %s: %s", report.Seconds(injectTime.Seconds()), view.Cause())
	}
	heads, err := probe(ctx, s.config)
	if err != nil {
		return err
	}
	names := subject.Entry.Names()
	seen := values(heads, route.InjectedHeader)
	if len(seen) == 0 || slices.ContainsFunc(seen, func(v string) bool { return !slices.Contains(names, v) }) {
		return fault.New(fault.Failed, "does something between here and the gateway take headers away? --address goes around it",
			"replies do not carry the injected header %s (they say %q)", route.InjectedHeader, strings.Join(seen, ", ")).Named("E_NO_VERSION")
	}
	rule, err := attribute.ParseRule("header:" + route.InjectedHeader)
	if err != nil {
		return err
	}
	s.config.Identify, s.naming, s.inject = rule, naming{route.InjectedHeader, names}, false
	how := "added"
	if old := route.HistoryOf(patched.Before.Object).Injected(subject.Entry); old != nil && !patched.Plan.Writes("/spec") {
		how = "found, left by a run of " + report.Safe(old.At)
	}
	i.Screen.Done("injected", "response header %s %s: %s; it is removed at the end", route.InjectedHeader, how, report.Safe(strings.Join(names, ", ")))
	return nil
}

// End removes the header, whatever happened before: err, which it passes on. Exit code 6, and the command that removes it, where
// it cannot.
func (i Injector) End(ctx context.Context, err error) error {
	removed, removeErr := Remove(ctx, i.Subject, i.Subject.Entry.Slot(), i.Manager, i.Abort)
	switch {
	case removeErr == nil && removed:
		i.Screen.Done("removed", "response header %s: the entry has only its own again", route.InjectedHeader)
		return err
	case removeErr == nil:
		return err
	}
	var silent fault.Verdict
	if err != nil && !errors.As(err, &silent) {
		i.Screen.Warn("%s", report.Safe(err.Error()))
	}
	hint := "this removes it: " + i.Subject.Command("undo", "--injected")
	if f := new(fault.Error); errors.As(removeErr, &f) && f.Name == "E_HEADER_CHANGED" { // which no program can
		hint = f.Hint
	}
	return fault.New(fault.NeedsPerson, hint,
		"the injected response header %s is still in %s: %w", route.InjectedHeader, i.Subject.Entry, removeErr).Named("E_HEADER_LEFT")
}

// Remove removes what notes in the history of an object say was injected, of one entry or of all, and nothing else. An end of ctx
// does not stop it, the closing of abort does.
func Remove(ctx context.Context, s *subject.Subject, slot, manager string, abort <-chan struct{}) (removed bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeTime)
	defer cancel()
	for {
		removed, err = remove(ctx, s, slot, manager)
		if err == nil || fault.ExitCode(err) == fault.Refused {
			return removed, err
		}
		again := time.NewTimer(removeAgain)
		select {
		case <-again.C:
		case <-abort:
			again.Stop()
			return false, err
		case <-ctx.Done():
			again.Stop()
			return false, err
		}
	}
}

func remove(ctx context.Context, s *subject.Subject, slot, manager string) (bool, error) {
	now, err := s.Client.Get(ctx, s.Object.Kind, s.Object.GetName())
	if err != nil {
		return false, fmt.Errorf("reading %s: %w", s.Object, err)
	}
	plan, err := route.PlanRemoval(now.Object, slot)
	if err != nil || plan.Nothing() {
		return false, err
	}
	patched, err := s.Client.Patch(ctx, now, plan, mesh.PatchOptions{Manager: manager})
	if err == nil {
		s.Object = patched.After
	}
	return err == nil, err
}
