package route

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mesh-split/mesh-split/verify/fault"
)

// PlanUndo plans to take back the newest change that is not an undo and not undone, or with revision > 0 to restore what
// change number revision set. The destinations and weights must still be as the newest change of the entry left them, else
// E_UNDO_STALE says what is there, what was recorded, and the command that gets there all the same. With nothing to undo
// the error is E_NOTHING_TO_UNDO, with a revision that is not remembered E_UNKNOWN_REVISION. Never "100/0": what is
// restored is what was.
func PlanUndo(object Object, mesh *Mesh, revision int64, o Options) (*Plan, error) {
	entries, err := Entries(object, mesh)
	if err != nil {
		return nil, err
	}
	h := HistoryOf(object)
	items, err := h.toUndo(object, revision)
	if err != nil {
		return nil, err
	}
	p := &Plan{Object: object, again: func(now Object) (*Plan, error) { return PlanUndo(now, mesh, revision, o) }}
	var undoes []int64
	for _, item := range items {
		goal, from := item.From, item.ID
		if revision > 0 {
			goal, from = item.To, item.ID+1
		}
		e, err := h.untouched(entries, item, goal)
		if err != nil {
			return nil, err
		}
		p.Changes = append(p.Changes, Change{Entry: e, From: e.stored(), To: e.restore(goal)})
		undoes = append(undoes, from)
	}
	p.build("undo", undoes, o)
	return p, nil
}

// restore gives the stored weights that a recorded state asks for; a weight that has the wanted effect stays as it is.
func (e Entry) restore(goal []*int64) []Weight {
	to := e.stored()
	for i, w := range goal {
		switch {
		case w == nil:
			to[i] = Weight{}
		case *w != e.Destinations[i].Effective:
			to[i] = Weight{Set: true, Value: *w}
		}
	}
	return to
}

// toUndo are the items of the change that is meant: several when it changed several entries, in the order it did.
func (h History) toUndo(object Object, revision int64) ([]HistoryItem, error) {
	about := strings.ToLower(str(object, "kind")) + " " + namespace(object) + "/" + objectName(object)
	undone := h.undone()
	var chosen *HistoryItem
	var known []string
	for i := range h.Items {
		item := &h.Items[i]
		if item.foreign || len(item.Dests) == 0 {
			continue
		}
		known = append(known, strconv.FormatInt(item.ID, 10))
		if chosen == nil && (item.ID == revision || revision == 0 && item.Op != "undo" && !undone[i]) {
			chosen = item
		}
	}
	switch {
	case chosen == nil && revision != 0:
		return nil, fault.Usagef("remembered: "+strings.Join(known, ", "), "%s: change %d is not remembered", about, revision).Named("E_UNKNOWN_REVISION")
	case chosen == nil:
		return nil, fault.New(fault.Failed, "mesh-split remembers only its own changes; set the weights with kubectl mesh-split set",
			"%s: nothing to undo", about).Named("E_NOTHING_TO_UNDO")
	}
	var out []HistoryItem
	seen := map[string]bool{} // a history someone tampered with may hold an id twice
	for i, item := range h.Items {
		if seen[item.slot()] {
			continue
		}
		if item.ID == chosen.ID || chosen.With != 0 && item.With == chosen.With && !item.foreign && len(item.Dests) > 0 && (revision != 0 || !undone[i]) {
			out = append(out, item)
			seen[item.slot()] = true
		}
	}
	slices.Reverse(out)
	return out, nil
}

// undone marks the items that an undo took back. An undo takes back all of its entry's changes from one id on, which may
// be undos themselves: those then count for nothing.
func (h History) undone() []bool {
	undone := make([]bool, len(h.Items))
	for i, item := range h.Items { // newest first
		if item.foreign || item.Op != "undo" || undone[i] || item.Undoes == 0 {
			continue
		}
		for j := i + 1; j < len(h.Items); j++ {
			older := h.Items[j]
			if !older.foreign && older.slot() == item.slot() && older.ID >= item.Undoes {
				undone[j] = true
			}
		}
	}
	return undone
}

// untouched finds the entry of an item and makes sure that nobody changed it since its newest recorded change.
func (h History) untouched(entries []Entry, item HistoryItem, goal []*int64) (Entry, error) {
	newest := item
	for _, i := range h.Items {
		if !i.foreign && i.slot() == item.slot() {
			newest = i
			break
		}
	}
	for _, e := range entries {
		if e.Slot() != item.slot() {
			continue
		}
		now := make([]string, len(e.Destinations))
		for i, d := range e.Destinations {
			now[i] = d.Record
		}
		if e.Label() == newest.Route && slices.Equal(now, newest.Dests) && slices.Equal(item.Dests, newest.Dests) && e.has(newest.To) {
			return e, nil
		}
		return e, e.stale(now, newest, item, goal)
	}
	return Entry{}, fault.New(fault.Refused, "the routes were changed by someone else: look at them with kubectl mesh-split get",
		"%s, which change %d edited, is no longer there", item.Route, item.ID).Named("E_UNDO_STALE")
}

// has says whether the entry's effective weights are those of a recorded state.
func (e Entry) has(recorded []*int64) bool {
	r := ruleOf(e.Section)
	for i, d := range e.Destinations {
		if d.bad != "" || d.Effective != effective(recorded[i], r) {
			return false
		}
	}
	return true
}

func effective(w *int64, r rule) int64 {
	if w == nil {
		return r.absent
	}
	return *w
}

func (e Entry) stale(now []string, newest, item HistoryItem, goal []*int64) error {
	r := ruleOf(e.Section)
	hint := "look at it with kubectl mesh-split get, then set the weights you want"
	if slices.Equal(now, item.Dests) {
		if command := e.command(goal); command != "" {
			hint = "to get there all the same: " + command
		}
	}
	current := make([]string, len(now))
	for i, d := range e.Destinations {
		current[i] = now[i] + " " + strconv.FormatInt(d.Effective, 10)
	}
	recorded := make([]string, len(newest.Dests))
	for i, d := range newest.Dests {
		recorded[i] = d + " " + strconv.FormatInt(effective(newest.To[i], r), 10)
	}
	return fault.New(fault.Refused, hint, "%s is no longer as change %d left it: now %s; recorded %s", e, newest.ID,
		printable(strings.Join(current, ", ")), printable(strings.Join(recorded, ", "))).Named("E_UNDO_STALE")
}

// command is the set command that reaches a recorded state from wherever the weights are; empty if the state is no split.
func (e Entry) command(goal []*int64) string {
	r := ruleOf(e.Section)
	weights := make([]int64, len(goal))
	var sum, now int64
	for i, w := range goal {
		weights[i] = effective(w, r)
		sum += weights[i]
		now += e.Destinations[i].Effective
	}
	p := shares(weights, r)
	if p == nil || len(p) == 1 {
		return ""
	}
	terms := make([]string, len(p))
	for i := range p {
		terms[i] = e.Destinations[i].Short + "=" + percent(p[i])
	}
	last := slices.Index(weights, slices.Max(weights)) // percentages may be rounded; the largest takes the rest
	terms[last] = e.Destinations[last].Short + "=rest"
	name := e.ObjectName()
	if e.Section == Rules {
		name = strings.ToLower(e.Kind()) + "/" + name
	}
	text := fmt.Sprintf("kubectl mesh-split set %s %s -n %s --route '%s'", name, strings.Join(terms, " "), e.Namespace(), e.Slot())
	if sum != now && sum >= 2 && sum <= 1_000_000 {
		text += " --sum " + strconv.FormatInt(sum, 10)
	}
	return printable(text)
}
