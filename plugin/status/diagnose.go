package status

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mesh-split/mesh-split/plugin/fleet"
	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/verify/report"
)

// picture is what was seen of one entry. Weights are by destination.
type picture struct {
	entry    route.Entry // live
	declared []int64     // nil: nobody declared it, or not in this form
	view     fleet.View
	observed []uint64 // requests counted; nil when nobody looked
	errors   []uint64
	off      bool     // the observed shares are certainly not those of the object
	others   []string // routes whose requests cannot be told from these
	writer   string   // who wrote the routes last, or ""
	// overwritten is the newest recorded change, where the object no longer has its weights.
	overwritten *route.HistoryItem
}

// finding is one sentence of the diagnosis, and what to do about it.
type finding struct {
	Code   string `json:"code"`
	Says   string `json:"message"`
	Advice string `json:"advice,omitempty"`
}

// errorsWorthSaying is the share of a destination's requests that failed from which its pods are suspected before its weight.
const errorsWorthSaying = 0.05

// diagnose reads the table of the specification from top to bottom. command makes a command line about the object.
func diagnose(p picture, command func(verb string, args ...string) string) []finding {
	var out []finding
	say := func(code, says, advice string) { out = append(out, finding{code, says, advice}) }
	weights := fleet.Weights(p.entry.Weights())
	by := ""
	if p.writer != "" {
		by = ", written by " + p.writer
	}
	if i := p.overwritten; i != nil {
		say("reverted", fmt.Sprintf("change %d of %s set %s, and the object says %s%s: it was set back, or written over", i.ID, i.By, fleet.Weights(i.Weights()), weights, by),
			"whoever it was may do so again: "+command("check")+" names the owners, "+command("history")+" the changes")
	}
	if p.declared != nil && !sameShares(p.declared, p.entry.Weights()) {
		say("declared-differs", fmt.Sprintf("declared is %s, the object says %s%s: the next apply or sync sets it back", fleet.Weights(p.declared), weights, by),
			"change it where it is declared, or see "+command("check")+" for what lets both live")
	}
	var stale, absent, unreadable, refused, differing []string
	for _, s := range p.view.Sights {
		pod := s.Pod.String()
		switch {
		case s.Err != nil:
			unreadable = append(unreadable, pod)
		case s.Live():
		case s.Error != "":
			refused = append(refused, pod+": "+s.Error)
		case s.State == route.Absent:
			absent = append(absent, pod)
		case s.State == route.Stale:
			stale = append(stale, pod)
		default:
			differing = append(differing, pod+": "+s.Why)
		}
	}
	all := len(p.view.Sights)
	wait := command("wait", "--for=live")
	switch {
	case all == 0:
		say("no-gateway", "no gateway pod is ready", "look at the pods that spec.gateways leads to")
	case len(unreadable) == all:
		say("black-box", "no gateway could be looked into: "+firstLine(p.view.Sights[0].Err), command("check")+" names the missing rights; --dump FILE reads a dump instead")
	case len(unreadable) > 0:
		say("unreadable", "could not be read: "+strings.Join(unreadable, ", "), "look at these pods")
	}
	zero := p.entry.Section != route.Rules && len(p.entry.Destinations) > 1 && sumOf(p.entry.Weights()) == 0
	if len(refused) > 0 && !zero {
		say("refused", "refused by Envoy: "+strings.Join(refused, "; "), "the message is Envoy's own; istioctl proxy-status shows the same pods")
	}
	if len(absent) > 0 {
		say("absent", "no route of this entry in "+strings.Join(absent, ", ")+": unbound, not exported, or dropped by istiod", "kubectl mesh-split which URL says why")
	}
	if len(differing) > 0 {
		say("differs", "other routes than the object's: "+strings.Join(differing, "; "), "an EnvoyFilter, another revision of istiod, or a change on its way: "+wait)
	}
	switch {
	case len(stale)+len(refused) > 0 && zero:
		say("zero-sum", "the weights sum to 0: Envoy refuses that, and every other change of this gateway's routes with it, until they do not: "+p.view.Cause(),
			"give it weights: "+command("set", p.entry.Destinations[0].Short+"=100"))
	case len(stale) > 0 && len(stale) == all:
		say("not-pushed", "no gateway has the object's weights yet: "+p.view.Cause(), "wait ("+wait+"), then look at istiod and at the object's revision label")
	case len(stale) > 0:
		say("stale", "a gateway was left behind: "+p.view.Cause(), "look at its connection to istiod (istioctl proxy-status), or restart that pod; "+wait)
	}
	out = append(out, p.observation()...)
	if len(out) == 0 {
		says := fmt.Sprintf("declared, object and all %d gateways say %s", all, weights)
		if p.declared == nil {
			says = fmt.Sprintf("the object and all %d gateways say %s", all, weights)
		}
		if sum(p.observed) > 0 {
			says += ", and users get it as far as their requests tell"
		}
		say("well", says, "")
	}
	return out
}

// observation judges what users got, where every gateway holds the weights: before that, shares in between are no riddle.
func (p picture) observation() []finding {
	for i, n := range p.observed {
		if n > 0 && float64(p.errors[i]) > errorsWorthSaying*float64(n) {
			name := p.entry.Destinations[i].Short
			return []finding{{"failing", fmt.Sprintf("%s fails: %s of its %s requests", name, report.Count(p.errors[i]), report.Count(n)), "look at its pods; the weights are not the cause"}}
		}
	}
	if !p.off || !p.view.Live() {
		return nil
	}
	if len(p.others) > 0 {
		return []finding{{"other-routes", "users get other shares, but these routes send to the same destinations and cannot be told apart: " + strings.Join(p.others, ", "), "verify it with load of its own: leave out --passive"}}
	}
	return []finding{{"observed-differs", "every gateway holds the weights and users get others: a client that sticks, a cache, or a filter in between", "kubectl mesh-split which URL says whether their requests come this way at all"}}
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

func sum(counts []uint64) (n uint64) {
	for _, c := range counts {
		n += c
	}
	return n
}

func sumOf(weights []int64) (n int64) {
	for _, w := range weights {
		n += w
	}
	return n
}

// sameShares compares two lists of weights as Istio does: by their parts of the sum.
func sameShares(a, b []int64) bool {
	sumA, sumB := sumOf(a), sumOf(b)
	return slices.EqualFunc(a, b, func(x, y int64) bool { return x*sumB == y*sumA })
}

// fromDump is the sight that a file gives instead of a gateway.
func fromDump(file string, e route.Entry, d *route.Dump) mesh.Sight {
	return mesh.Sight{Pod: mesh.Pod{Name: file, Namespace: "file"}, LiveReport: d.Live(e, route.Origin{})}
}
