package route

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mesh-split/mesh-split/verify/fault"
)

// ChooseEach picks the entries that several --route mean, in the order of the object. One that is named twice counts once;
// without a name it is Choose.
func ChooseEach(entries []Entry, routes []string) ([]Entry, error) {
	if len(routes) == 0 {
		routes = []string{""}
	}
	var out []Entry
	for _, name := range routes {
		e, err := Choose(entries, name)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(out, func(o Entry) bool { return o.Slot() == e.Slot() }) {
			out = append(out, e)
		}
	}
	order := func(e Entry) int {
		return slices.IndexFunc(entries, func(o Entry) bool { return o.Slot() == e.Slot() })
	}
	slices.SortFunc(out, func(a, b Entry) int { return order(a) - order(b) })
	return out, nil
}

// ChooseAll picks every entry that splits traffic and has all the destinations that terms name, as --all-routes does. Left says
// of each other one that splits traffic what it lacks. E_UNKNOWN_DEST when none is picked; E_AMBIGUOUS_DEST when a name fits two
// destinations of one entry: it has what was named, but which of them was meant?
func ChooseAll(entries []Entry, terms []Term) (chosen []Entry, left []string, err error) {
	for _, e := range entries {
		if len(e.Destinations) < 2 {
			continue
		}
		lacks, err := e.lacks(terms)
		switch {
		case err != nil:
			return nil, nil, err
		case len(lacks) > 0:
			left = append(left, fmt.Sprintf("%s has no destination %s (it has %s)", e, strings.Join(lacks, ", "), strings.Join(e.Names(), ", ")))
		default:
			chosen = append(chosen, e)
		}
	}
	switch {
	case len(chosen) > 0:
		return chosen, left, nil
	case len(left) > 0:
		return nil, nil, fault.Usagef(strings.Join(left, "; "), "no route has all of the destinations").Named("E_UNKNOWN_DEST")
	}
	return nil, nil, fault.Usagef("name one with --route", "no route splits traffic").Named("E_CHOOSE")
}

// lacks are the names that fit no destination of the entry.
func (e Entry) lacks(terms []Term) (names []string, err error) {
	for _, t := range terms {
		switch found := resolve(e.Destinations, t.Dest, e.mesh); len(found) {
		case 0:
			names = append(names, fmt.Sprintf("%q", t.Dest))
		case 1:
		default:
			_, err = e.Resolve(t.Dest)
			return nil, err
		}
	}
	return names, nil
}
