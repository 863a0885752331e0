package route

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mesh-split/mesh-split/verify/fault"
)

// InjectedHeader is the response header by which destinations are told apart that say no version of their own. The gateway sets
// it, by the destination it chose, so it needs nothing of the application.
const InjectedHeader = "x-mesh-split"

// Injection is the note that an entry's destinations carry the header for a measurement. It stands in the history as an item of
// its own, without an id, from the patch that adds the header to the patch that removes it, so that a crash in between leaves
// enough to remove it exactly.
type Injection struct {
	At    string   // RFC 3339
	By    string   // as the API server knew them: a note, not evidence
	Route string   // Entry.Label
	Paths []string // JSON pointers of what was added, one per destination: the first level that was missing
	Names []string // what the header says, one per destination
	Hash  string   // of the entry with the header, weights aside
	Run   string   // id of the run that put it there, as its requests carry it
	Until string   // RFC 3339: that run has ended by then, and a note that is still there was left behind
}

type injectionJSON struct {
	Version int64  `json:"v"`
	At      string `json:"at"`
	By      string `json:"by"`
	Op      string `json:"op"`
	Route   string `json:"route"`
	Inj     *struct {
		Paths []string `json:"at"`
		Names []string `json:"say"`
		Hash  string   `json:"hash"`
		Run   string   `json:"run"`
		Until string   `json:"until"`
	} `json:"inj"`
}

// MarshalJSON writes the note as it stands in the annotation.
func (i Injection) MarshalJSON() ([]byte, error) {
	return plainJSON(map[string]any{"v": 1, "at": i.At, "by": i.By, "op": "inject", "route": i.Route,
		"inj": map[string]any{"at": i.Paths, "say": i.Names, "hash": i.Hash, "run": i.Run, "until": i.Until}})
}

// parseInjection reads a note; ok is false for other items.
func parseInjection(raw json.RawMessage) (Injection, bool) {
	var j injectionJSON
	if json.Unmarshal(raw, &j) != nil || j.Version != 1 || j.Op != "inject" || j.Inj == nil || len(j.Inj.Paths) != len(j.Inj.Names) || len(j.Inj.Paths) == 0 {
		return Injection{}, false
	}
	return Injection{j.At, j.By, j.Route, j.Inj.Paths, j.Inj.Names, j.Inj.Hash, j.Inj.Run, j.Inj.Until}, true
}

func (i Injection) slot() string { s, _, _ := strings.Cut(i.Route, " "); return s }

// Injected is the note of an entry, or nil.
func (h History) Injected(e Entry) *Injection {
	for _, i := range h.Injections {
		if i.slot() == e.Slot() {
			return &i
		}
	}
	return nil
}

// held says whether another run than that of o measures by the header at this moment. Time decides: nobody else can see whether a run
// was killed.
func (i Injection) held(o Options) bool {
	until, err := time.Parse(time.RFC3339, i.Until)
	return err == nil && i.Run != o.Run && o.At.Before(until)
}

// PlanInject plans to let each destination of the entry say its shortest name in the header, by the smallest addition, with a note
// of it. An entry that carries our header already, exactly as its note says, needs nothing but that the note becomes this run's.
// E_HEADER_TAKEN when somebody else uses the header: whoever ends first would take it from under the other's measurement.
func PlanInject(e Entry, o Options) (*Plan, error) {
	h := HistoryOf(e.Object)
	c := Change{Entry: e, From: e.stored(), To: e.stored()}
	p := &Plan{Object: e.Object, Changes: []Change{c}, Warnings: h.Warnings, again: func(now Object, _ History) (*Plan, error) {
		read, err := reread([]Entry{e}, now)
		if err != nil {
			return nil, err
		}
		return PlanInject(read[0], o)
	}}
	if e.Section != HTTP && e.Section != Rules {
		return nil, fault.Usagef("measure it where replies name their version", "%s routes connections: there are no replies to put a header in", e).Named("E_HEADER_TAKEN")
	}
	note := Injection{At: o.At.UTC().Format(time.RFC3339), By: o.By, Route: e.Label(), Names: e.Names(), Run: o.Run, Until: o.Until.UTC().Format(time.RFC3339)}
	guard := guarded(e.Object)
	old := h.Injected(e)
	if old != nil && old.held(o) {
		return nil, fault.New(fault.Refused, "wait for its end; if it was killed, this removes the header: "+injectedCommand(e),
			"%s is being measured by %s of another run, begun %s by %s, which ends before %s", e, InjectedHeader, printable(old.At), printable(old.By), printable(old.Until)).Named("E_HEADER_TAKEN")
	}
	if old != nil && old.whole(e) && slices.Equal(old.Names, e.Names()) {
		if old.Run != o.Run {
			note.Paths, note.Hash = old.Paths, old.Hash
			p.Ops = append([]Op{guard}, h.holding(note, e.Object)...)
		}
		return p, nil
	}
	if where := e.takes(InjectedHeader); where != "" {
		return nil, fault.New(fault.Refused, "leave out --identify inject, or take that header away; kubectl mesh-split undo --injected removes one that was left behind",
			"%s: %s sets or removes %s already", e, where, InjectedHeader).Named("E_HEADER_TAKEN")
	}
	if old != nil { // its header may be in a route that was moved: a new note must not replace it then
		all, err := Entries(e.Object, nil)
		if err != nil {
			return nil, err
		}
		if _, other, found := old.find(all, h.Injections); found {
			return nil, fault.New(fault.Refused, "kubectl mesh-split undo --injected removes it", "%s carries %s, which a run left behind", other, InjectedHeader).Named("E_HEADER_TAKEN")
		}
	}
	ops := []Op{guard}
	var adds []Op
	for i, d := range e.Destinations {
		path := e.gap(i)
		value, _ := addition(e, i, path, d.Short)
		note.Paths = append(note.Paths, path)
		ops = append(ops, Op{"test", e.path(i), clone(d.Raw)})
		adds = append(adds, Op{"add", path, value})
	}
	after, err := Apply(e.Object, adds)
	if err != nil {
		return nil, err
	}
	read, err := reread([]Entry{e}, after)
	if err != nil {
		return nil, err
	}
	note.Hash = read[0].hash()
	p.Ops = slices.Concat(ops, adds, h.holding(note, e.Object))
	return p, nil
}

// holding are the operations that write the history with a note in place of another of the same entry.
func (h History) holding(note Injection, object Object) []Op {
	h.Injections = append(slices.DeleteFunc(h.Injections, func(i Injection) bool { return i.slot() == note.slot() }), note)
	return h.ops(object)
}

// injectedCommand is the command that takes away what a killed run left in the object of an entry.
func injectedCommand(e Entry) string {
	name := e.ObjectName()
	if e.Section == Rules {
		name = strings.ToLower(e.Kind()) + "/" + name
	}
	return "kubectl mesh-split undo " + name + " --injected -n " + e.Namespace()
}

// whole says whether the entry is as the note left it, and the note says nothing but our header: an annotation is text that
// anybody may write.
func (i Injection) whole(e Entry) bool {
	if len(i.Paths) != len(e.Destinations) || e.hash() != i.Hash {
		return false
	}
	for n, path := range i.Paths {
		value, ok := addition(e, n, path, i.Names[n])
		if !ok || applyOne(e.Object, Op{"test", path, value}) != nil {
			return false
		}
	}
	return true
}

// hash is of the whole entry but its weights, which may change while the header is there.
func (e Entry) hash() string {
	raw := clone(e.Raw).(map[string]any)
	for _, d := range dicts(raw, e.Section.list()) {
		delete(d, "weight")
	}
	text, err := plainJSON(raw)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:12])
}

// gap is the pointer of the first level on the way to the header in destination i that is not there.
func (e Entry) gap(i int) string {
	raw, path := e.Destinations[i].Raw, e.path(i)
	if e.Section == Rules {
		if list(raw, "filters") == nil {
			return path + "/filters"
		}
		for n, f := range dicts(raw, "filters") {
			if str(f, "type") == modifier {
				at := path + "/filters/" + strconv.Itoa(n) + "/responseHeaderModifier/set"
				if set := list(f, "responseHeaderModifier", "set"); set != nil {
					at += "/" + strconv.Itoa(len(set))
				}
				return at
			}
		}
		return path + "/filters/" + strconv.Itoa(len(list(raw, "filters")))
	}
	for _, keys := range [][]string{{"headers"}, {"headers", "response"}, {"headers", "response", "set"}} {
		if dict(raw, keys...) == nil {
			return path + "/" + strings.Join(keys, "/")
		}
	}
	return path + "/headers/response/set/" + InjectedHeader
}

// modifier is the filter of the Gateway API that sets response headers.
// https://gateway-api.sigs.k8s.io/reference/spec/#httpheaderfilter
const modifier = "ResponseHeaderModifier"

// addition is what is added at a pointer so that destination i says a name; ok is false where no header could be.
func addition(e Entry, i int, path, name string) (value any, ok bool) {
	tail, ok := strings.CutPrefix(path, e.path(i)+"/")
	if !ok {
		return nil, false
	}
	words := strings.Split(tail, "/")
	if e.Section == Rules {
		pair := map[string]any{"name": InjectedHeader, "value": name}
		filter := map[string]any{"type": modifier, "responseHeaderModifier": map[string]any{"set": []any{pair}}}
		switch {
		case words[0] != "filters":
		case len(words) == 1:
			return []any{filter}, true
		case len(words) == 2:
			return filter, true
		case len(words) == 4 && words[2] == "responseHeaderModifier" && words[3] == "set":
			return []any{pair}, true
		case len(words) == 5 && words[2] == "responseHeaderModifier" && words[3] == "set":
			return pair, true
		}
		return nil, false
	}
	levels := []string{"headers", "response", "set", InjectedHeader}
	if len(words) > len(levels) || !slices.Equal(words, levels[:len(words)]) {
		return nil, false
	}
	value = name
	for n := len(levels) - 1; n >= len(words); n-- {
		value = map[string]any{levels[n]: value}
	}
	return value, true
}

// takes says where the entry does something to a response header already; "" for nowhere.
func (e Entry) takes(header string) string {
	is := func(name string) bool { return strings.EqualFold(name, header) }
	has := func(o map[string]any) bool {
		for _, what := range []string{"set", "add"} {
			if slices.ContainsFunc(keys(dict(o, "headers", "response", what)), is) {
				return true
			}
		}
		if slices.ContainsFunc(strs(o, "headers", "response", "remove"), is) {
			return true
		}
		for _, f := range dicts(o, "filters") {
			for _, what := range []string{"set", "add"} {
				if slices.ContainsFunc(dicts(f, "responseHeaderModifier", what), func(h map[string]any) bool { return is(str(h, "name")) }) {
					return true
				}
			}
			if slices.ContainsFunc(strs(f, "responseHeaderModifier", "remove"), is) {
				return true
			}
		}
		return false
	}
	for _, d := range e.Destinations {
		if has(d.Raw) {
			return "destination " + d.Short
		}
	}
	if has(e.Raw) {
		return "the entry"
	}
	return ""
}
