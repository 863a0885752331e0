package guard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/plugin/subject"
	"github.com/mesh-split/mesh-split/verify/fault"
)

// Flags say what a person takes upon themselves.
type Flags struct {
	SkipChecks []string // names of Checks
	Overrides  []string // names of owners
}

// Checks are the names that --skip-check takes.
var Checks = []string{"service", "port", "subset", "endpoints", "capacity", "accepted"}

// AddFlags declares them.
func (f *Flags) AddFlags(fs *pflag.FlagSet) {
	fs.StringSliceVar(&f.SkipChecks, "skip-check", nil, "leave out checks: "+strings.Join(Checks, ", "))
	fs.StringSliceVar(&f.Overrides, "override-owner", nil, "write although this program owns the object, such as argocd or flagger")
}

// Validate reports every wrong flag, without I/O.
func (f *Flags) Validate() error {
	var faults []error
	for _, name := range f.SkipChecks {
		if !slices.Contains(Checks, name) {
			faults = append(faults, fault.Usagef("checks are "+strings.Join(Checks, ", "), "--skip-check %q is not known", name))
		}
	}
	return errors.Join(faults...)
}

// Guard is what was found.
type Guard struct {
	Owners   []route.Owner   // refusing ones first
	Findings []route.Finding // of every change of the plan
	Loads    []route.PodLoad // of the destinations whose share rises, as far as their pods are known

	entries []route.Entry
	rising  int
}

// Look reads what the rights allow, in one wave of requests, and holds the plan against it. The gateways of the subject may be
// unknown: then the checks take the point of view of the object's own namespace.
func Look(ctx context.Context, s *subject.Subject, plan *route.Plan, now time.Time) (*Guard, error) {
	g := &Guard{}
	everything := route.Entry{Object: s.Object.Object} // destinations of all entries, read at once
	for _, c := range plan.Changes {
		g.entries = append(g.entries, c.Entry)
		everything.Destinations = append(everything.Destinations, c.Entry.Destinations...)
	}
	related := make(chan route.Related, 1)
	go func() { related <- s.Client.Related(ctx, s.Object) }()
	unread, err := s.Client.Backends(ctx, s.Mesh, everything)
	g.Owners = route.Owners(g.entries, <-related, now)
	if err != nil {
		return nil, err
	}
	unread = append(unread, s.Unread...)
	from := place(s)
	for _, c := range plan.Changes {
		g.Findings = append(g.Findings, doubted(s.Mesh.Preflight(c, from), unread)...)
		g.Loads = append(g.Loads, s.Mesh.PodLoads(c, from)...)
		g.rising += len(c.Rising())
	}
	return g, nil
}

// place is the gateway that takes load, as far as it was found.
func place(s *subject.Subject) route.Place {
	if s.Gateways == nil || len(s.Gateways.Pods) == 0 {
		return route.Place{Namespace: s.Object.GetNamespace(), Port: 80}
	}
	return route.Place{Namespace: s.Gateways.Pods[0].Namespace, Port: int(s.Gateways.Server.Port)}
}

// doubted takes back what was found only because a kind could not be read: a host that is no Service may be a ServiceEntry.
func doubted(findings []route.Finding, unread []string) []route.Finding {
	const entries = "serviceentries.networking.istio.io"
	for i, f := range findings {
		var e *fault.Error
		if errors.As(f.Err, &e) && e.Name == "E_NO_SERVICE" && slices.Contains(unread, entries) {
			findings[i] = route.Finding{Check: f.Check, Unchecked: entries}
		}
	}
	return findings
}

// Refusal is why the change is not to be written, every reason of it, or nil.
func (g *Guard) Refusal(f Flags) error {
	var faults []error
	if err := route.CheckOwners(g.entries, g.Owners, f.Overrides); err != nil {
		faults = append(faults, err)
	}
	for _, finding := range g.Findings {
		if finding.Err != nil && !slices.Contains(f.SkipChecks, finding.Check) {
			faults = append(faults, finding.Err)
		}
	}
	return errors.Join(faults...)
}

// Warnings are what is said and stops nothing: unread kinds, checks that were skipped, owners that only may interfere or that
// were overridden.
func (g *Guard) Warnings(f Flags) []string {
	var out []string
	for _, finding := range g.Findings {
		switch {
		case finding.Err == nil && !slices.Contains(f.SkipChecks, finding.Check):
			out = append(out, fmt.Sprintf("W_UNCHECKED: no right to list %s: the check %q was left out", finding.Unchecked, finding.Check))
		case finding.Err != nil && slices.Contains(f.SkipChecks, finding.Check):
			out = append(out, fmt.Sprintf("--skip-check=%s: %v", finding.Check, finding.Err))
		}
	}
	for _, o := range g.Owners {
		switch {
		case !o.Refuse:
			out = append(out, fmt.Sprintf("%s may write this object (%s): %s", o.Title, strings.Join(o.Evidence, "; "), o.Will))
		case slices.Contains(f.Overrides, o.Name):
			out = append(out, fmt.Sprintf("--override-owner=%s: %s owns this object (%s): %s", o.Name, o.Title, strings.Join(o.Evidence, "; "), o.Will))
		}
	}
	return slices.Compact(out)
}

// Advice are the snippets that let the owners and this program live together, for those that are named or none; each may span lines.
func (g *Guard) Advice() []string {
	var out []string
	for _, o := range g.Owners {
		if o.Refuse && o.Advice != "" {
			out = append(out, strings.TrimRight(o.Advice, "\n"))
		}
	}
	return out
}

// String says in one line what was found in order.
func (g *Guard) String() string {
	var parts []string
	switch {
	case g.rising == 0:
		parts = append(parts, "no share rises")
	case len(g.Loads) > 0:
		for _, l := range g.Loads {
			parts = append(parts, l.String())
		}
	default:
		parts = append(parts, "what gets more is there")
	}
	switch {
	case len(g.Owners) == 0:
		parts = append(parts, "no other owner of this object")
	case g.Owners[0].Refuse: // it was overridden
		parts = append(parts, "it belongs to "+g.Owners[0].Title)
	default:
		parts = append(parts, "no owner that would set it back by itself")
	}
	return strings.Join(parts, "; ")
}
