package route

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/mesh-split/mesh-split/verify/fault"
)

// Difference is a place where two readings of an object differ.
type Difference struct {
	Path     string // JSON pointer
	Old, New any    // nil for absent
}

func (d Difference) String() string {
	old, _ := json.Marshal(d.Old)
	new, _ := json.Marshal(d.New)
	return printable(d.Path) + ": " + string(old) + " → " + string(new)
}

// Writer is one entry of metadata.managedFields.
type Writer struct {
	Manager   string
	Operation string    // Apply or Update
	Time      time.Time // zero if unknown
	Spec      []string  // the fields of the spec it owns, such as "http"; empty for status and metadata
}

func (w Writer) String() string {
	s := printable(w.Manager) + " (" + w.Operation
	if !w.Time.IsZero() {
		s += ", " + w.Time.UTC().Format(time.RFC3339)
	}
	return s + ")"
}

// Writers are the managers of an object, newest first; those without a time come last.
func Writers(object Object) []Writer {
	var out []Writer
	for _, m := range dicts(object, "metadata", "managedFields") {
		w := Writer{Manager: str(m, "manager"), Operation: str(m, "operation")}
		w.Time, _ = time.Parse(time.RFC3339, str(m, "time"))
		for key := range dict(m, "fieldsV1", "f:spec") {
			if field, ok := strings.CutPrefix(key, "f:"); ok {
				w.Spec = append(w.Spec, field)
			}
		}
		sort.Strings(w.Spec)
		out = append(out, w)
	}
	slices.SortStableFunc(out, func(a, b Writer) int { return b.Time.Compare(a.Time) })
	return out
}

// LastWriter is the newest manager that owns the section's list, for lists of routes are owned whole; else the newest
// that owns anything of the spec; nil if nobody does.
func LastWriter(object Object, section Section) *Writer {
	var second *Writer
	for _, w := range Writers(object) {
		if slices.Contains(w.Spec, string(section)) {
			return &w
		}
		if second == nil && len(w.Spec) > 0 {
			second = &w
		}
	}
	return second
}

// ConflictState says how a re-read object stands to a plan that was refused.
type ConflictState uint8

// The states.
const (
	ConflictUnknown ConflictState = iota // not compared
	ConflictDone                         // the plan is in the object: our write arrived though the answer did not
	ConflictRefused                      // all tests hold: the server refused for another reason; show its words, do not retry
	ConflictReplan                       // something else changed, the weights did not: plan again and send
	ConflictChanged                      // weights or destinations changed: E_CHANGED
)

func (s ConflictState) String() string {
	return [...]string{"unknown", "done", "refused", "replan", "changed"}[s]
}

// Conflict is the answer of [Plan.Recheck].
type Conflict struct {
	State       ConflictState
	Differences []Difference // what changed at the plan's places, for ConflictChanged
	Who         *Writer      // newest writer of the routes, or nil
	Err         error        // E_CHANGED with who, old, new and plan; nil for other states
}

// Recheck compares a plan with the object as it is now, after the API server answered 422 or 409 (a failed test comes
// back without a cause) or nothing at all.
func (p *Plan) Recheck(now Object) Conflict {
	if p.arrived(now) {
		return Conflict{State: ConflictDone}
	}
	if p.holds(now) {
		return Conflict{State: ConflictRefused}
	}
	c := Conflict{State: ConflictReplan}
	for _, change := range p.Changes {
		e := change.Entry
		if c.Who == nil {
			c.Who = LastWriter(now, e.Section)
		}
		read, err := reread([]Entry{e}, now)
		if err != nil {
			c.State, c.Err = ConflictChanged, err
			c.Differences = append(c.Differences, Difference{Path: e.Path(), Old: e.Raw})
			continue
		}
		if d := e.changed(read[0]); len(d) > 0 {
			c.State = ConflictChanged
			c.Differences = append(c.Differences, d...)
			if c.Err == nil {
				c.Err = change.changedError(read[0], c.Who)
			}
		}
	}
	return c
}

// holds runs the plan's tests.
func (p *Plan) holds(now Object) bool {
	for _, o := range p.Ops {
		if o.Op == "test" && applyOne(now, o) != nil { // a test changes nothing
			return false
		}
	}
	return true
}

// arrived says whether now holds what the plan writes: every value, our own history item included, so that somebody
// else's equal weights are not taken for our write.
func (p *Plan) arrived(now Object) bool {
	for _, o := range p.Ops {
		switch {
		case o.Op == "test":
		case o.Op == "remove":
			if applyOne(now, Op{"test", o.Path, nil}) != nil {
				return false
			}
		case o.Path == "/metadata/annotations":
		case applyOne(now, Op{"test", o.Path, o.Value}) != nil:
			return false
		}
	}
	return len(p.Ops) > 0
}

// changed are the destinations whose identity or weight is another one in a later reading.
func (e Entry) changed(now Entry) []Difference {
	var out []Difference
	for i := range max(len(e.Destinations), len(now.Destinations)) {
		d := Difference{Path: e.path(i)}
		if i < len(e.Destinations) {
			d.Old = e.Destinations[i].Raw
		}
		if i < len(now.Destinations) {
			d.New = now.Destinations[i].Raw
		}
		if d.Old != nil && d.New != nil {
			a, b := e.Destinations[i], now.Destinations[i]
			if a.Record == b.Record && a.Stored == b.Stored && a.bad == b.bad {
				continue
			}
		}
		out = append(out, d)
	}
	return out
}

func (c Change) changedError(now Entry, who *Writer) error {
	by := "someone"
	if who != nil {
		by = who.String()
	}
	plan := make([]string, len(c.To))
	for i, w := range c.Weights() {
		plan[i] = c.Entry.Destinations[i].Short + " " + strconv.FormatInt(w, 10)
	}
	return fault.New(fault.Refused, "look at it with kubectl mesh-split get and repeat the command if you still want it",
		"%s was changed meanwhile by %s: it was %s, now it is %s; planned was %s", c.Entry, by, c.Entry.summary(), now.summary(),
		strings.Join(plan, ", ")).Named("E_CHANGED")
}

// serverFields are written by the API server with every change.
var serverFields = []string{"/metadata/resourceVersion", "/metadata/generation", "/metadata/managedFields", "/metadata/uid",
	"/metadata/creationTimestamp", "/metadata/selfLink"}

// Altered are the differences between the plan's result and the server's answer, server metadata aside: W_ALTERED when
// there are any, for then a mutating webhook or a default had a hand in it.
func (p *Plan) Altered(answer Object) []Difference {
	want, err := Apply(p.Object, p.Ops)
	if err != nil {
		return []Difference{{Path: "", Old: fmt.Sprint(err)}}
	}
	var out []Difference
	compare("", want, answer, &out)
	sort.Slice(out, func(i, j int) bool { return out[i].Path < out[j].Path })
	return out
}

func compare(path string, want, got any, out *[]Difference) {
	if slices.Contains(serverFields, path) || same(want, got) {
		return
	}
	switch a := want.(type) {
	case map[string]any:
		b, ok := got.(map[string]any)
		if !ok {
			break
		}
		for k, v := range a {
			compare(path+"/"+escape(k), v, b[k], out)
		}
		for k, v := range b {
			if _, there := a[k]; !there {
				compare(path+"/"+escape(k), nil, v, out)
			}
		}
		return
	case []any:
		b, ok := got.([]any)
		if !ok || len(a) != len(b) {
			break
		}
		for i := range a {
			compare(path+"/"+strconv.Itoa(i), a[i], b[i], out)
		}
		return
	}
	*out = append(*out, Difference{path, want, got})
}
