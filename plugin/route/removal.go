package route

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mesh-split/mesh-split/verify/fault"
)

// PlanRemoval plans to remove what a note of the object says was added, exactly, and the note with it; slot is the entry, "" for
// all. Nothing to do where there is no note, and no header in the entry that was named. E_HEADER_CHANGED when the entry is no longer
// as it was left: then a person must look.
func PlanRemoval(object Object, slot string) (*Plan, error) {
	entries, err := Entries(object, nil)
	if err != nil {
		return nil, err
	}
	p := &Plan{Object: object, again: func(now Object, _ History) (*Plan, error) { return PlanRemoval(now, slot) }}
	h := HistoryOf(object)
	var kept []Injection
	var tests, removes []Op
	for _, note := range h.Injections {
		if slot != "" && note.slot() != slot {
			kept = append(kept, note)
			continue
		}
		note, e, found := note.find(entries, h.Injections)
		if !found {
			continue // whoever took it away left nothing but the note
		}
		if !note.whole(e) {
			return nil, e.headerChanged("is no longer as the injected header " + InjectedHeader + " left it")
		}
		for i, path := range note.Paths {
			value, _ := addition(e, i, path, note.Names[i])
			tests = append(tests, Op{"test", path, value})
			removes = append(removes, Op{Op: "remove", Path: path})
		}
	}
	if len(h.Injections) == len(kept) {
		for _, e := range entries {
			if e.Slot() == slot && e.takes(InjectedHeader) != "" { // somebody wrote the annotations anew
				return nil, e.headerChanged("has the response header " + InjectedHeader + ", and the note of how it came there is gone")
			}
		}
		return p, nil
	}
	h.Injections = kept
	p.Ops = append([]Op{guarded(object)}, slices.Concat(tests, removes)...)
	if len(h.Items)+len(kept) == 0 {
		p.Ops = append(p.Ops, Op{Op: "remove", Path: "/metadata/annotations/" + escape(HistoryKey)})
	} else {
		p.Ops = append(p.Ops, h.ops(object)...)
	}
	return p, nil
}

func (e Entry) headerChanged(why string) error {
	return fault.New(fault.Refused, fmt.Sprintf("take the header away by hand: kubectl edit %s %s -n %s", strings.ToLower(e.Kind()), e.ObjectName(), e.Namespace()),
		"%s %s", e, why).Named("E_HEADER_CHANGED")
}

// find gives the entry that carries the header of a note, and the note as it is of that entry: routes that were put before it or
// taken away have moved it. Where no entry is as the note left it, the one that has the header all the same is given; one that
// another note is about is not.
func (i Injection) find(entries []Entry, all []Injection) (Injection, Entry, bool) {
	of := func(e Entry) Injection {
		moved := i
		moved.Paths = make([]string, len(i.Paths))
		for n, path := range i.Paths {
			if tail, ok := strings.CutPrefix(path, i.path()+"/"); ok {
				path = e.Path() + "/" + tail
			}
			moved.Paths[n] = path
		}
		return moved
	}
	here := slices.IndexFunc(entries, func(e Entry) bool { return e.Slot() == i.slot() })
	if here >= 0 && entries[here].takes(InjectedHeader) != "" {
		return i, entries[here], true
	}
	var left *Entry
	for n, e := range entries {
		if slices.ContainsFunc(all, func(o Injection) bool { return o.slot() == e.Slot() }) || e.takes(InjectedHeader) == "" {
			continue
		}
		if moved := of(e); moved.whole(e) {
			return moved, e, true
		}
		left = &entries[n]
	}
	if left == nil {
		return i, Entry{}, false
	}
	return of(*left), *left, true
}

// path is the JSON pointer of the entry, as Entry.Path.
func (i Injection) path() string {
	section, index, _ := strings.Cut(strings.TrimSuffix(i.slot(), "]"), "[")
	return "/spec/" + section + "/" + index
}
