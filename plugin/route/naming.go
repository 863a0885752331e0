package route

import (
	"fmt"
	"strings"

	"github.com/mesh-split/mesh-split/verify/fault"
)

// Resolve finds the destination a name means. All readings of the name together must give one: E_UNKNOWN_DEST or
// E_AMBIGUOUS_DEST else.
func (e Entry) Resolve(n Name) (Destination, error) {
	found := resolve(e.Destinations, n, e.mesh)
	switch {
	case len(found) == 1:
		return e.Destinations[found[0]], nil
	case len(found) > 1:
		spellings := make([]string, len(found))
		for i, f := range found {
			spellings[i] = e.Destinations[f].Short
		}
		return Destination{}, fault.Usagef("write one of "+strings.Join(spellings, ", "),
			"%s: %q fits %d destinations: %s", e, n, len(found), strings.Join(spellings, ", ")).Named("E_AMBIGUOUS_DEST")
	case len(e.Destinations) == 1:
		return Destination{}, fault.Usagef(fmt.Sprintf("to split traffic, add it first: a second destination with weight 0, beside %s", e.Destinations[0].Short),
			"%s: no destination %q; %s is the only destination", e, n, e.Destinations[0].Short).Named("E_UNKNOWN_DEST")
	}
	return Destination{}, fault.Usagef("destinations here: "+strings.Join(e.Names(), ", "),
		"%s: no destination %q", e, n).Named("E_UNKNOWN_DEST")
}

// Names are the short spellings of all destinations, in stored order.
func (e Entry) Names() []string {
	names := make([]string, len(e.Destinations))
	for i, d := range e.Destinations {
		names[i] = d.Short
	}
	return names
}

// resolve gives the indices of all destinations that any reading of n fits.
func resolve(ds []Destination, n Name, mesh *Mesh) []int {
	var alias *Name
	if mesh != nil && n.Word != "" {
		if text, ok := mesh.Aliases[n.Word]; ok {
			if a, err := ParseName(text); err == nil {
				alias = &a
			}
		}
	}
	var found []int
	for i := range ds {
		if fits(&ds[i], n) || alias != nil && n.Subset == "" && fits(&ds[i], withPort(*alias, n.Port)) {
			found = append(found, i)
		}
	}
	return found
}

func withPort(n Name, port int) Name {
	if n.Port == 0 && n.Word != "" {
		n.Port = port
	}
	return n
}

func fits(d *Destination, n Name) bool {
	if n.Word == "" {
		return d.Index == n.Index
	}
	if n.Port != 0 && n.Port != d.Port {
		return false
	}
	if n.Subset != "" { // before a slash only hosts count; subsets do not fold case
		return n.Subset == d.Subset && fitsHost(d, n.Word)
	}
	if fitsHost(d, n.Word) || n.Word == d.Subset || n.Word == d.Version {
		return true
	}
	return d.Namespace != "" && strings.EqualFold(n.Word, d.Namespace)
}

func fitsHost(d *Destination, word string) bool {
	if d.FQDN == "" { // not a Service: only by position
		return false
	}
	if strings.EqualFold(word, d.Host) || strings.EqualFold(word, d.FQDN) {
		return true
	}
	if d.Service == "" {
		return false
	}
	short := d.Service + "." + d.Namespace
	return strings.EqualFold(word, d.Service) || strings.EqualFold(word, short) || strings.EqualFold(word, short+".svc")
}

// shortest spells destination i so that it alone fits: one word where one word will do (subset, Service, namespace), else
// host and subset, else with the port, at last by position. Version labels are understood but not used here: what a plan
// prints must not depend on who may read Services.
func shortest(ds []Destination, i int, mesh *Mesh) string {
	d := &ds[i]
	hosts := []string{d.Service, d.Namespace, d.Host, d.FQDN}
	if d.Service != "" {
		hosts = []string{d.Service, d.Namespace, d.Service + "." + d.Namespace, d.FQDN}
	}
	var forms []Name
	for _, port := range []int{0, d.Port} {
		forms = append(forms, Name{Word: d.Subset, Port: port})
		for _, h := range hosts {
			forms = append(forms, Name{Word: h, Port: port})
		}
		for _, h := range hosts {
			if d.Subset != "" {
				forms = append(forms, Name{Word: h, Subset: d.Subset, Port: port})
			}
		}
	}
	for _, f := range forms {
		f.Index = -1
		parsed, err := ParseName(f.String())
		if f.Word == "" || err != nil || parsed != f { // what cannot be typed is no spelling, control characters included
			continue
		}
		if found := resolve(ds, f, mesh); len(found) == 1 && found[0] == i {
			return f.String()
		}
	}
	return Name{Index: i}.String()
}
