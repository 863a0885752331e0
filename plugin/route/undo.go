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
	if revision > 0 {
		return planBack(object, mesh, target{id: revision, restore: true}, o)
	}
	h, _, err := remembered(object, mesh, o)
	if err != nil {
		return nil, err
	}
	id, err := h.newest(object, o.Only)
	if err != nil {
		return nil, err
	}
	return planBack(object, mesh, target{id: id}, o)
}

// PlanRevert plans to take back change id and no other: for a program that made it and found it wanting. E_UNDO_STALE when
// somebody has changed the entry since, by this program or by any other way.
func PlanRevert(object Object, mesh *Mesh, id int64, o Options) (*Plan, error) {
	return planBack(object, mesh, target{id: id}, o)
}

// target is what a way back means: to take change id back, or to restore what it set. A plan keeps its target, so that
// planning again after a conflict never takes back what somebody else has done in between.
type target struct {
	id      int64
	restore bool
}

func planBack(object Object, mesh *Mesh, t target, o Options) (*Plan, error) {
	h, entries, err := remembered(object, mesh, o)
	if err != nil {
		return nil, err
	}
	items, err := h.find(object, t)
	if err != nil {
		return nil, err
	}
	p := &Plan{Object: object, again: func(now Object, elsewhere History) (*Plan, error) {
		o.Elsewhere = elsewhere.With(o.Elsewhere) // what a program knows of its own change stays known
		return planBack(now, mesh, t, o)
	}}
	var undoes []int64
	for _, item := range items {
		goal, from := item.From, item.ID
		if t.restore {
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

// remembered is the history of the object from all places, and its entries.
func remembered(object Object, mesh *Mesh, o Options) (History, []Entry, error) {
	entries, err := Entries(object, mesh)
	if err != nil {
		return History{}, nil, err
	}
	h := HistoryOf(object).With(o.Elsewhere)
	h.ForgetUnwritten(entries)
	return h, entries, nil
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

func aboutObject(o Object) string {
	return strings.ToLower(str(o, "kind")) + " " + namespace(o) + "/" + objectName(o)
}

// newest is the id of the newest change, of the slots that are named or of any, that is not an undo and not undone.
func (h History) newest(object Object, only []string) (int64, error) {
	undone := h.undone()
	for i, item := range h.Items {
		if item.reversible() && item.Op != "undo" && !undone[i] && (len(only) == 0 || slices.Contains(only, item.slot())) {
			return item.ID, nil
		}
	}
	about := strings.Join(append([]string{aboutObject(object)}, only...), " ")
	return 0, fault.New(fault.Failed, "mesh-split remembers only its own changes; set the weights with kubectl mesh-split set",
		"%s: nothing to undo", about).Named("E_NOTHING_TO_UNDO")
}

// reversible says that the item knows what it changed.
func (i HistoryItem) reversible() bool {
	return !i.foreign && len(i.Dests) > 0 && i.Verdict != NotWritten
}

// find gives the items of the change that is meant, several when it changed several entries, in the order it did. To take
// a change back it must be the last word on its entries.
func (h History) find(object Object, t target) ([]HistoryItem, error) {
	var with int64
	var known []string
	there := false
	for _, item := range h.Items {
		if !item.reversible() {
			continue
		}
		known = append(known, strconv.FormatInt(item.ID, 10))
		if item.ID == t.id && !there {
			with, there = item.With, true
		}
	}
	if !there {
		return nil, fault.Usagef("remembered: "+strings.Join(known, ", "), "%s: change %d is not remembered", aboutObject(object), t.id).Named("E_UNKNOWN_REVISION")
	}
	if with != 0 && !slices.ContainsFunc(h.Items, func(i HistoryItem) bool { return i.ID == with && i.With == with }) {
		return nil, fault.New(fault.Refused, "set the weights you want with kubectl mesh-split set",
			"%s: change %d was of several routes and is remembered only in part", aboutObject(object), t.id).Named("E_UNKNOWN_REVISION")
	}
	var out []HistoryItem
	undone := h.undone()
	seen := map[string]bool{} // a history someone tampered with may hold an id twice
	for i, item := range h.Items {
		meant := item.ID == t.id || with != 0 && item.With == with
		if !item.reversible() || !meant || seen[item.slot()] || !t.restore && undone[i] && item.ID != t.id {
			continue
		}
		if last := h.lastWord(item.slot()); !t.restore && last != item.ID {
			return nil, fault.New(fault.Refused, "look at kubectl mesh-split history; undo --to-revision chooses a state",
				"%s: change %d of %s is not the last one that counts", aboutObject(object), item.ID, item.slot()).Named("E_UNDO_STALE")
		}
		seen[item.slot()] = true
		out = append(out, item)
	}
	slices.Reverse(out)
	return out, nil
}

// lastWord is the newest change of an entry that is no undo and not undone; 0 if there is none.
func (h History) lastWord(slot string) int64 {
	undone := h.undone()
	for i, item := range h.Items {
		if !item.foreign && item.Verdict != NotWritten && item.slot() == slot && item.Op != "undo" && !undone[i] {
			return item.ID
		}
	}
	return 0
}

// Undone says for each item whether a later undo took it back.
func (h History) Undone() []bool { return h.undone() }

// undone marks the items that an undo took back. An undo takes back all of its entry's changes from one id on, which may
// be undos themselves: those then count for nothing.
func (h History) undone() []bool {
	undone := make([]bool, len(h.Items))
	for i, item := range h.Items { // newest first
		if item.foreign || item.Op != "undo" || item.Verdict == NotWritten || undone[i] || item.Undoes == 0 {
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
		if !i.foreign && i.Verdict != NotWritten && i.slot() == item.slot() {
			newest = i
			break
		}
	}
	for _, e := range entries {
		if e.Slot() != item.slot() {
			continue
		}
		now := e.records()
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
