package route

import (
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mesh-split/mesh-split/verify/fault"
)

// Options say how a change is made. The zero value is a plain set without a name or a time.
type Options struct {
	Sum    *int64 // --sum: new sum of the weights, 2 to 1 000 000; nil keeps the old one
	Spread bool   // --spread: what is left goes to the unnamed destinations in proportion
	Istio  string // version of istiod, such as "1.14.5"; empty reads as 1.15 or newer

	Operation string    // "set", "step" or "switch"; empty is "set". An undo is always "undo"
	By        string    // who asked, for the history: a note, not evidence
	At        time.Time // when, for the history
	Verdict   string    // "pending" when a verification follows, else "none" (the default)
	NoHistory bool      // write no annotation (--history=configmap|none); Plan.Items holds the items all the same
	Elsewhere History   // what is remembered of the object in other places than its annotation, as read

	Run   string    // of PlanInject: the id of the run that measures by the header
	Until time.Time // of PlanInject: when that run has ended, whatever happens

	Only []string // of PlanUndo: slots, of which the newest change is taken back; none is the whole object

	Verdicts map[int64]string // verdicts of older changes that are not written yet, by id: they ride on this edit
}

// Change is what happens to the weights of one entry.
type Change struct {
	Entry Entry    // as read
	From  []Weight // stored before
	To    []Weight // stored after; equal to From where nothing is written
}

// Moves says whether any weight is written.
func (c Change) Moves() bool {
	for i := range c.From {
		if c.From[i] != c.To[i] {
			return true
		}
	}
	return false
}

// Weights are the effective weights after the change.
func (c Change) Weights() []int64 {
	r := ruleOf(c.Entry.Section)
	out := make([]int64, len(c.To))
	for i, w := range c.To {
		out[i] = r.absent
		if w.Set {
			out[i] = w.Value
		}
	}
	return out
}

// Sum is the sum of the effective weights after the change.
func (c Change) Sum() int64 {
	var sum int64
	for _, w := range c.Weights() {
		sum += w
	}
	return sum
}

// Shares are the exact shares after the change; nil when there is no valid split.
func (c Change) Shares() []*big.Rat { return shares(c.Weights(), ruleOf(c.Entry.Section)) }

// After is the entry as it will be: what is waited for and measured.
func (c Change) After() Entry {
	e := c.Entry
	e.Destinations = append([]Destination(nil), e.Destinations...)
	for i, w := range c.Weights() {
		e.Destinations[i].Stored, e.Destinations[i].Effective, e.Destinations[i].bad = c.To[i], w, ""
	}
	return e
}

// Plan is an edit of one object: the changes of its entries and the JSON Patch that makes them.
type Plan struct {
	Object   Object        // as read
	Changes  []Change      // one per entry asked for, in that order
	Items    []HistoryItem // new history items, one per entry that moves, newest first
	Ops      []Op          // the whole patch; empty when there is nothing to do
	Warnings []string      // such as an unreadable history that is replaced
	LeftOut  []string      // routes that --all-routes did not take, and why

	again func(Object, History) (*Plan, error) // the same wish for another reading of the object, and of Options.Elsewhere
}

// Anonymous says that the object will not show who wrote the weights: no history item rides on the patch.
func (p *Plan) Anonymous() bool {
	return !slices.ContainsFunc(p.Ops, func(o Op) bool { return o.Path == "/metadata/annotations/"+escape(HistoryKey) })
}

// Writes says whether anything at or below a path is written.
func (p *Plan) Writes(path string) bool {
	return slices.ContainsFunc(p.Ops, func(o Op) bool { return o.Op != "test" && strings.HasPrefix(o.Path+"/", path+"/") })
}

// Nothing says that the object already is as wished: nothing is written.
func (p *Plan) Nothing() bool { return len(p.Ops) == 0 }

// ID is the number of the change in the history, what undo --to-revision takes; 0 when nothing is written.
func (p *Plan) ID() int64 {
	if len(p.Items) == 0 {
		return 0
	}
	return p.Items[0].ID
}

// Again makes the plan anew for another reading of the object and of what is remembered elsewhere, for use after a [Conflict].
func (p *Plan) Again(object Object, elsewhere History) (*Plan, error) {
	return p.again(object, elsewhere)
}

// PlanSet plans the shares that terms ask for, in each of the entries, which are of one object. The checks come in the
// order of the specification of the arithmetic, and the first that fails decides: E_OPTIONS, E_UNKNOWN_DEST,
// E_AMBIGUOUS_DEST, E_DUPLICATE_DEST, E_BAD_WEIGHT, E_LONE, E_OVER, E_NOT_100, E_NO_BASIS, E_WHO_GIVES, E_OLD_SUM, E_LIMIT,
// E_GRANULARITY. Without terms all shares stay and only --sum counts.
func PlanSet(entries []Entry, terms []Term, o Options) (*Plan, error) {
	if len(entries) == 0 {
		return nil, fault.Usagef("choose one with --route", "no route to change").Named("E_CHOOSE")
	}
	if err := checkOptions(terms, o); err != nil {
		return nil, err
	}
	p := &Plan{Object: entries[0].Object}
	for _, e := range entries {
		to, err := e.solve(terms, o)
		if err != nil {
			return nil, err
		}
		c := Change{Entry: e, From: e.stored(), To: e.stored()}
		for i, w := range to {
			if w != e.Destinations[i].Effective {
				c.To[i] = Weight{Set: true, Value: w}
			}
		}
		p.Changes = append(p.Changes, c)
	}
	p.again = func(now Object, elsewhere History) (*Plan, error) {
		read, err := reread(entries, now)
		if err != nil {
			return nil, err
		}
		o.Elsewhere = elsewhere
		again, err := PlanSet(read, terms, o)
		if err == nil {
			again.LeftOut = p.LeftOut
		}
		return again, err
	}
	operation := o.Operation
	if operation == "" {
		operation = "set"
	}
	p.build(operation, nil, o)
	return p, nil
}

// reread finds the same entries in another reading of the object.
func reread(entries []Entry, now Object) ([]Entry, error) {
	all, err := Entries(now, entries[0].mesh)
	if err != nil {
		return nil, err
	}
	out := make([]Entry, 0, len(entries))
	for _, want := range entries {
		found := false
		for _, e := range all {
			if e.Section == want.Section && e.Index == want.Index && e.Name == want.Name {
				out, found = append(out, e), true
			}
		}
		if !found {
			return nil, fault.New(fault.Refused, "look at it again and repeat the command", "%s is gone: someone changed the routes", want).Named("E_CHANGED")
		}
	}
	return out, nil
}

func (e Entry) stored() []Weight {
	out := make([]Weight, len(e.Destinations))
	for i, d := range e.Destinations {
		out[i] = d.Stored
	}
	return out
}

func checkOptions(terms []Term, o Options) error {
	if o.Sum != nil && (*o.Sum < 2 || *o.Sum > 1_000_000) {
		return fault.Usagef("such as --sum 100 or --sum 1000", "--sum %d is not between 2 and 1000000", *o.Sum).Named("E_OPTIONS")
	}
	rests := 0
	for _, t := range terms {
		if t.Rest() {
			rests++
		}
	}
	switch {
	case rests > 1:
		return fault.Usagef("let one destination take the rest", "rest is written %d times", rests).Named("E_OPTIONS")
	case rests > 0 && o.Spread:
		return fault.Usagef("leave out one of them", "rest and --spread both say who takes what is left").Named("E_OPTIONS")
	}
	return nil
}

// solve gives the new effective weights of the entry.
func (e Entry) solve(terms []Term, o Options) ([]int64, error) {
	w := wish{named: make([]bool, len(e.Destinations)), share: make([]*big.Rat, len(e.Destinations))}
	for _, t := range terms {
		d, err := e.Resolve(t.Dest)
		if err != nil {
			return nil, err
		}
		if w.named[d.Index] {
			return nil, e.usage("E_DUPLICATE_DEST", "name each destination once", "%s names %s, which another term named already", t, d.Short)
		}
		w.named[d.Index], w.share[d.Index] = true, t.Share
	}
	r := ruleOf(e.Section)
	for _, d := range e.Destinations {
		if d.bad != "" {
			return nil, e.usage("E_BAD_WEIGHT", "repair the object first: a weight is an integer from 0 to "+strconv.FormatInt(r.max, 10),
				"the stored weight of %s %s", d.Short, d.bad)
		}
	}
	if len(e.Destinations) == 1 {
		if w.named[0] && w.share[0] != nil && w.share[0].Cmp(one) != 0 {
			return nil, e.usage("E_LONE", "add a second destination with weight 0 first", "%s is the only destination and gets everything", e.Destinations[0].Short)
		}
		if !r.rules { // its weight counts for nothing
			return e.Weights(), nil
		}
	}
	p, err := e.targetShares(w, o.Spread)
	if err != nil {
		return nil, err
	}
	return e.round(p, w, o)
}

// round makes integers of shares (steps 4 to 6 of the arithmetic).
func (e Entry) round(p []*big.Rat, w wish, o Options) ([]int64, error) {
	var n int64
	current := e.Weights()
	for _, v := range current {
		n += v
	}
	if n == 0 {
		n = 100
	}
	if o.Sum != nil {
		n = *o.Sum
	}
	r := ruleOf(e.Section)
	old := !r.rules && len(current) > 1 && before115(o.Istio)
	if old && n != 100 {
		return nil, e.usage("E_OLD_SUM", "write --sum 100, or upgrade istiod", "istiod %s takes only weights that sum to 100, not %d", o.Istio, n)
	}
	weights := integers(p, n, current)
	if why := limits(weights, n, r); why != "" {
		return nil, e.usage("E_LIMIT", "choose a smaller --sum", "%s", why)
	}
	why := e.rounding(p, weights, n, w.named)
	if why == "" {
		return weights, nil
	}
	hint := "no sum up to 1000000 can say that; choose other shares"
	if old {
		hint = "istiod " + o.Istio + " takes only whole percentages; choose other shares"
	}
	for sum := int64(100); !old && sum <= 1_000_000; sum *= 10 {
		finer := integers(p, sum, current)
		if limits(finer, sum, r) == "" && e.rounding(p, finer, sum, w.named) == "" {
			hint = "write --sum " + strconv.FormatInt(sum, 10)
			break
		}
	}
	return nil, e.usage("E_GRANULARITY", hint, "weights that sum to %d cannot say that: %s", n, why)
}

// before115 says whether an istiod version is known to be older than 1.15, whose webhook insists on a sum of 100.
func before115(version string) bool {
	major, rest, ok := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	minor, _, _ := strings.Cut(rest, ".")
	minor, _, _ = strings.Cut(minor, "-")
	a, errA := strconv.Atoi(major)
	b, errB := strconv.Atoi(minor)
	return ok && errA == nil && errB == nil && (a < 1 || a == 1 && b < 15)
}
