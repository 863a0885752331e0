package route

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mesh-split/mesh-split/verify/fault"
)

// HistoryKey is the annotation that remembers changes. No key on the object may contain istio.io: Istio would push again
// for every change of a verdict.
const HistoryKey = "mesh-split.dev/history"

// The bounds of a history: an object's annotations share 256 KiB, and ours is not the only one.
const (
	HistoryItems = 16
	HistoryBytes = 8 << 10
)

// HistoryItem is one recorded change of one entry.
type HistoryItem struct {
	Version int64    `json:"v"`                // of this form: 1
	ID      int64    `json:"id"`               // 1, 2, 3, … without gaps
	At      string   `json:"at"`               // RFC 3339
	By      string   `json:"by"`               // who, as the API server knew them: a note, not evidence
	Op      string   `json:"op"`               // set, step, switch, undo
	Route   string   `json:"route"`            // Entry.Label: "http[1] primary"
	Dests   []string `json:"d"`                // Destination.Record of each
	From    []*int64 `json:"from"`             // stored before; null = the key was absent
	To      []*int64 `json:"to"`               // stored after; null = the key is absent
	Verdict string   `json:"verdict"`          // one of Verdicts
	Undoes  int64    `json:"undoes,omitempty"` // of an undo: it took back every change of the route from this id on
	With    int64    `json:"with,omitempty"`   // id of the first item of the same change, where it changed several entries

	raw     json.RawMessage // as read: fields of later releases and items that are not ours stay as they are
	foreign bool            // not understood: kept, never undone
	noted   bool            // remembered outside of the object: not in one write with the weights
}

// Verdicts are what a change may be known as: pending until its verification ends, none where there was none.
var Verdicts = []string{"pending", "pass", "fail", "inconclusive", "not-live", "none", NotWritten}

var operations = []string{"set", "step", "switch", "undo"}

// idMax keeps ids exact in JSON readers whose numbers are floats.
const idMax = 1 << 53

// History is what an object remembers, newest first.
type History struct {
	Items      []HistoryItem
	Injections []Injection // notes of headers that are in the object for a measurement; they stand before the items
	Warnings   []string    // what could not be read
}

// HistoryOf reads the annotation of an object. It never fails: what is unreadable is said in Warnings.
func HistoryOf(object Object) History {
	text, _ := dict(object, "metadata", "annotations")[HistoryKey].(string)
	return ParseHistory(text)
}

// ParseHistory reads the text of a history annotation; empty text is an empty history. Text that is no JSON array is given
// up with a warning; items in it that are not ours are kept as they are and never undone.
func ParseHistory(text string) History {
	var h History
	if text == "" {
		return h
	}
	var raws []json.RawMessage
	if err := json.Unmarshal([]byte(text), &raws); err != nil {
		h.Warnings = append(h.Warnings, fmt.Sprintf("annotation %s is no history and will be replaced: %v", HistoryKey, err))
		return h
	}
	foreign := 0
	for _, raw := range raws {
		if note, ok := parseInjection(raw); ok {
			h.Injections = append(h.Injections, note)
			continue
		}
		item := parseItem(raw)
		if item.foreign {
			foreign++
		}
		h.Items = append(h.Items, item)
	}
	if foreign > 0 {
		h.Warnings = append(h.Warnings, fmt.Sprintf("%d items of annotation %s were not written by this program and cannot be undone", foreign, HistoryKey))
	}
	return h
}

func parseItem(raw json.RawMessage) HistoryItem {
	var item HistoryItem
	err := json.Unmarshal(raw, &item)
	if err != nil || !item.understood() {
		var only struct {
			ID int64 `json:"id"`
		}
		if json.Unmarshal(raw, &only) != nil || only.ID < 0 || only.ID > idMax {
			only.ID = 0
		}
		item = HistoryItem{ID: only.ID, foreign: true}
	}
	var b bytes.Buffer
	if json.Compact(&b, raw) == nil {
		item.raw = b.Bytes()
	}
	return item
}

// understood says whether the item has the form that this program writes.
func (i HistoryItem) understood() bool {
	n := len(i.Dests)
	if i.Version != 1 || i.ID < 1 || i.ID > idMax || len(i.From) != n || len(i.To) != n {
		return false
	}
	for _, w := range slices.Concat(i.From, i.To) {
		if w != nil && *w < 0 {
			return false
		}
	}
	return slices.Contains(operations, i.Op) && slices.Contains(Verdicts, i.Verdict) && strings.Contains(i.Route, "[")
}

// Foreign says that this program did not write the item: only its ID counts.
func (i HistoryItem) Foreign() bool { return i.foreign }

// slot is the entry's identity inside the object, "http[1]".
func (i HistoryItem) slot() string { s, _, _ := strings.Cut(i.Route, " "); return s }

// MarshalJSON writes an item as it was read, if it was.
func (i HistoryItem) MarshalJSON() ([]byte, error) {
	if i.raw != nil {
		return i.raw, nil
	}
	type plain HistoryItem
	return plainJSON(plain(i))
}

// settle gives the item a verdict; fields of later releases stay.
func (i *HistoryItem) settle(verdict string) {
	i.Verdict = verdict
	if i.raw == nil {
		return
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(i.raw, &fields) != nil {
		return
	}
	fields["verdict"], _ = json.Marshal(verdict)
	i.raw, _ = plainJSON(fields)
}

// String is the annotation's text: a JSON array, newest first.
func (h History) String() string {
	all := []any{}
	for _, i := range h.Injections {
		all = append(all, i)
	}
	for _, i := range h.Items {
		all = append(all, i)
	}
	b, err := plainJSON(all)
	if err != nil {
		return "[]" // cannot be: raw items are compacted JSON
	}
	return string(b)
}

// Add puts new items before the others, newest first, and drops the oldest until the history is within its bounds. A
// change too large even alone is remembered without its destinations, so that ids have no gaps; it cannot be undone.
func (h *History) Add(items ...HistoryItem) {
	h.Items = append(slices.Clone(items), h.Items...)
	if len(h.Items) > HistoryItems {
		h.Items = h.Items[:HistoryItems]
	}
	for len(h.Items) > 1 && len(h.String()) > HistoryBytes {
		h.Items = h.Items[:len(h.Items)-1]
	}
	if len(h.Items) < len(items) {
		h.Warnings = append(h.Warnings, fmt.Sprintf("a change of %d routes is too large to be remembered: undo will not take it back", len(items)))
	}
	if len(h.Items) == 1 && len(h.String()) > HistoryBytes {
		h.Items[0].Dests, h.Items[0].From, h.Items[0].To = []string{}, []*int64{}, []*int64{}
		h.Warnings = append(h.Warnings, "the change is too large to be remembered: undo will not know its weights")
	}
}

// next is the id of the next change.
func (h History) next() int64 {
	var newest int64
	for _, i := range h.Items {
		newest = max(newest, i.ID)
	}
	return newest + 1
}

// record makes the items of the changes that move, newest first, and adds them. undoes holds, per change, the lowest id
// that an undo takes back; nil for other operations.
func (h *History) record(changes []Change, operation string, undoes []int64, o Options) []HistoryItem {
	h.settle(o.Verdicts)
	verdict := o.Verdict
	if verdict == "" {
		verdict = "none"
	}
	first := max(h.next(), o.Elsewhere.next())
	var items []HistoryItem
	for n, c := range changes {
		if !c.Moves() {
			continue
		}
		item := HistoryItem{Version: 1, ID: first + int64(len(items)), At: o.At.UTC().Format(time.RFC3339), By: o.By, Op: operation,
			Route: c.Entry.Label(), From: pointers(c.From), To: pointers(c.To), Verdict: verdict}
		for _, d := range c.Entry.Destinations {
			item.Dests = append(item.Dests, d.Record)
		}
		if undoes != nil {
			item.Undoes = undoes[n]
		}
		items = append(items, item)
	}
	if len(items) > 1 {
		for i := range items {
			items[i].With = first
		}
	}
	slices.Reverse(items)
	h.Add(items...)
	return items
}

func pointers(weights []Weight) []*int64 {
	out := make([]*int64, len(weights))
	for i, w := range weights {
		if w.Set {
			v := w.Value
			out[i] = &v
		}
	}
	return out
}

// ops are the operations that write the history into the object.
func (h History) ops(object Object) []Op {
	var ops []Op
	if dict(object, "metadata", "annotations") == nil {
		ops = append(ops, Op{"add", "/metadata/annotations", map[string]any{}})
	}
	return append(ops, Op{"add", "/metadata/annotations/" + escape(HistoryKey), h.String()})
}

// PlanVerdicts plans to write the verdicts of changes, by id, metadata only, guarded by the history as read: the plan is empty
// when they are written already or the changes are no longer remembered. The error is a verdict that is none.
func PlanVerdicts(object Object, verdicts map[int64]string) (*Plan, error) {
	for _, verdict := range verdicts {
		if !slices.Contains(Verdicts, verdict) {
			return nil, fault.Usagef("one of "+strings.Join(Verdicts, ", "), "%q is no verdict", verdict)
		}
	}
	p := &Plan{Object: object, again: func(now Object, _ History) (*Plan, error) { return PlanVerdicts(now, verdicts) }}
	h := HistoryOf(object)
	old := h.String()
	h.settle(verdicts)
	if h.String() == old || len(h.String()) > HistoryBytes {
		return p, nil
	}
	path := "/metadata/annotations/" + escape(HistoryKey)
	p.Ops = []Op{{"test", path, at(object, "metadata", "annotations", HistoryKey)}, {"replace", path, h.String()}}
	return p, nil
}

// settle gives the items their verdicts, by id.
func (h History) settle(verdicts map[int64]string) {
	for i := range h.Items {
		item := &h.Items[i]
		if verdict, ok := verdicts[item.ID]; ok && !item.foreign && item.Verdict != verdict && slices.Contains(Verdicts, verdict) {
			item.settle(verdict)
		}
	}
}
