package route

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mesh-split/mesh-split/verify/fault"
)

// Reverted is E_REVERTED when a reading of the object from after the plan was written no longer has its weights: it names the
// newest manager that owns the routes, what it did, and after how long. Nil while the weights stand. What is written over may
// not be written again by a program: who wrote it will do so again.
func (p *Plan) Reverted(now Object, after time.Duration) error {
	for _, c := range p.Changes {
		who := "someone"
		if w := LastWriter(now, c.Entry.Section); w != nil {
			who = w.String()
		}
		hint := "kubectl mesh-split check " + c.Entry.ObjectName() + " -n " + c.Entry.Namespace() + " names who owns the object, and what lets both live"
		delay := strconv.FormatFloat(after.Seconds(), 'f', 1, 64) + " s"
		read, err := reread([]Entry{c.Entry}, now)
		if err != nil {
			return fault.New(fault.Failed, hint, "%s: the route was taken away %s after its weights were written, by %s", about(c.Entry), delay, who).Named("E_REVERTED")
		}
		e := read[0]
		sameDests := slices.EqualFunc(e.Destinations, c.Entry.Destinations, func(a, b Destination) bool { return a.Record == b.Record })
		if sameDests && slices.Equal(e.Weights(), c.Weights()) {
			continue
		}
		did := "changed"
		if sameDests && slices.Equal(e.Weights(), c.Entry.Weights()) {
			did = "set back"
		}
		return fault.New(fault.Failed, hint, "%s: the weights were %s to %s %s after they were written, by %s", about(c.Entry), did, weightText(e.Weights()), delay, who).Named("E_REVERTED")
	}
	return nil
}

// Overwritten is the newest change that is remembered of an entry, in its object or elsewhere, where the entry has other weights
// now: somebody set them back, or wrote over them. Nil while they stand, and where the entry has other destinations than then.
func Overwritten(e Entry, elsewhere History) *HistoryItem {
	h := HistoryOf(e.Object).With(elsewhere)
	h.ForgetUnwritten([]Entry{e})
	for _, item := range h.Items {
		if item.foreign || item.Verdict == NotWritten || item.slot() != e.Slot() {
			continue
		}
		if !slices.EqualFunc(e.Destinations, item.Dests, func(d Destination, record string) bool { return d.Record == record }) {
			return nil
		}
		if slices.EqualFunc(e.Destinations, item.To, func(d Destination, to *int64) bool {
			return d.Stored.Set == (to != nil) && (to == nil || *to == d.Stored.Value)
		}) {
			return nil
		}
		return &item
	}
	return nil
}

// Weights are those that the change left, 0 where the key is absent.
func (i HistoryItem) Weights() []int64 {
	weights := make([]int64, len(i.To))
	for n, w := range i.To {
		if w != nil {
			weights[n] = *w
		}
	}
	return weights
}

func about(e Entry) string { return fmt.Sprintf("%s %s", aboutObject(e.Object), e.Slot()) }

func weightText(weights []int64) string {
	parts := make([]string, len(weights))
	for i, w := range weights {
		parts[i] = strconv.FormatInt(w, 10)
	}
	return strings.Join(parts, "/")
}
