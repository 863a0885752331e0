package route

import (
	"encoding/json"
	"fmt"
	"time"
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
	By      string   `json:"by"`               // who, as the API server knew them
	Op      string   `json:"op"`               // set, step, switch, undo
	Route   string   `json:"route"`            // Entry.Label: "http[1] primary"
	Dests   []string `json:"d"`                // Destination.Record of each
	From    []*int64 `json:"from"`             // stored before; null = the key was absent
	To      []*int64 `json:"to"`               // stored after
	Verdict string   `json:"verdict"`          // pending, pass, fail, inconclusive, not-live, none
	Undoes  int64    `json:"undoes,omitempty"` // of an undo: the change it took back
	With    int64    `json:"with,omitempty"`   // id of the first item of the same change, where it changed several entries

	raw json.RawMessage // as read, when this program does not understand it: kept as it is
}

// History is what an object remembers, newest first.
type History struct {
	Items    []HistoryItem
	Warnings []string // what could not be read
}

// HistoryOf reads the annotation of an object. It never fails: what is unreadable is said in Warnings.
func HistoryOf(object Object) History {
	text, _ := dict(object, "metadata", "annotations")[HistoryKey].(string)
	return ParseHistory(text)
}

// ParseHistory reads the text of a history annotation; empty text is an empty history.
func ParseHistory(text string) History {
	var h History
	if text == "" {
		return h
	}
	var raws []json.RawMessage
	if err := json.Unmarshal([]byte(text), &raws); err != nil {
		h.Warnings = []string{fmt.Sprintf("the history in annotation %s is unreadable and starts anew: %v", HistoryKey, err)}
		return h
	}
	return h
}

func (h *History) record(changes []Change, operation string, undoes int64, o Options) []HistoryItem {
	return nil
}

func (h *History) ops(object Object) []Op { return nil }

// String is the annotation's text.
func (h History) String() string { b, _ := json.Marshal(h.Items); return string(b) }

// PlanUndo plans to take back the newest change that is not an undo and not undone, or with revision > 0 to restore what
// change number revision set. The object must still be as the newest change of the entry left it: E_UNDO_STALE. With
// nothing to undo the error is named E_NOTHING_TO_UNDO.
func PlanUndo(object Object, mesh *Mesh, revision int64, o Options) (*Plan, error) {
	panic("being built")
}

// PlanVerdict plans to write the verdict of change id, metadata only; the plan is empty when that is written already or the
// change is no longer remembered.
func PlanVerdict(object Object, id int64, verdict string) (*Plan, error) { panic("being built") }

func timestamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
