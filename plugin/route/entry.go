package route

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/mesh-split/mesh-split/verify/fault"
)

// Section says where in a spec an entry stands.
type Section string

// The sections that hold weights.
const (
	HTTP  Section = "http"  // VirtualService spec.http
	TCP   Section = "tcp"   // VirtualService spec.tcp
	TLS   Section = "tls"   // VirtualService spec.tls
	Rules Section = "rules" // spec.rules of HTTPRoute, GRPCRoute and their kin
)

// list is the name of the list of destinations in an entry of the section.
func (s Section) list() string {
	if s == Rules {
		return "backendRefs"
	}
	return "route"
}

// Entry is one item of a VirtualService's spec.http, tcp or tls, or of an HTTPRoute's spec.rules. Its identity is object,
// section and index: names may repeat or be empty.
type Entry struct {
	Object       Object // the whole object; read only
	Section      Section
	Index        int
	Name         string         // may be empty
	Raw          map[string]any // the item
	Destinations []Destination
	Instead      string // "redirect", "directResponse" or "delegate" where that stands in place of destinations

	mesh *Mesh
	says bool // of Saying
}

// Kind, Namespace and ObjectName identify the object.
func (e Entry) Kind() string       { return str(e.Object, "kind") }
func (e Entry) Namespace() string  { return namespace(e.Object) }
func (e Entry) ObjectName() string { return objectName(e.Object) }

// Slot is the identity inside the object: "http[1]".
func (e Entry) Slot() string { return string(e.Section) + "[" + strconv.Itoa(e.Index) + "]" }

// OfConnections says that the entry is drawn once for each connection: tcp and tls entries, which Envoy has in no route
// configuration.
func (e Entry) OfConnections() bool { return e.Section == TCP || e.Section == TLS }

// Label is the slot with the name, where there is one, as the history records it: "http[1] primary".
func (e Entry) Label() string {
	if e.Name == "" {
		return e.Slot()
	}
	return e.Slot() + " " + e.Name
}

// String is how people see it: shop/web http[0] "api". Names are quoted, for they may hold anything.
func (e Entry) String() string {
	s := e.Namespace() + "/" + e.ObjectName() + " " + e.Slot()
	if e.Name != "" {
		s += " " + strconv.Quote(e.Name)
	}
	return s
}

// Path is the JSON pointer of the entry: "/spec/http/1".
func (e Entry) Path() string { return "/spec/" + string(e.Section) + "/" + strconv.Itoa(e.Index) }

// path is the JSON pointer of destination i.
func (e Entry) path(i int) string { return e.Path() + "/" + e.Section.list() + "/" + strconv.Itoa(i) }

// Weights are the effective weights, in stored order.
func (e Entry) Weights() []int64 {
	w := make([]int64, len(e.Destinations))
	for i, d := range e.Destinations {
		w[i] = d.Effective
	}
	return w
}

// Shares are the exact shares that the stored weights ask for; nil when they are no valid split: a bad weight, or a sum
// of 0 (in a VirtualService a lone destination gets everything, whatever its weight).
func (e Entry) Shares() []*big.Rat {
	for _, d := range e.Destinations {
		if d.bad != "" {
			return nil
		}
	}
	return shares(e.Weights(), ruleOf(e.Section))
}

// Target is one destination as a verification needs it.
type Target struct {
	Name    string // short spelling
	Version string // version label, "" if unknown
	Weight  int64  // effective; a VirtualService's lone destination counts as 1 when its weight is 0
}

// Targets are the destinations with the weights that a verification measures against, zeros included.
func (e Entry) Targets() []Target {
	out := make([]Target, len(e.Destinations))
	for i, d := range e.Destinations {
		out[i] = Target{Name: d.Short, Version: d.Version, Weight: d.Effective}
	}
	if len(out) == 1 && e.Section != Rules && out[0].Weight == 0 {
		out[0].Weight = 1
	}
	return out
}

// Entries reads all entries of a VirtualService, or of an HTTPRoute and its kin, in stored order. Mesh may be nil. The
// error says that the object is none of these.
func Entries(object Object, mesh *Mesh) ([]Entry, error) {
	sections, err := sectionsOf(object)
	if err != nil {
		return nil, err
	}
	var out []Entry
	for _, section := range sections {
		for i, item := range dicts(object, "spec", string(section)) {
			e := Entry{Object: object, Section: section, Index: i, Name: str(item, "name"), Raw: item, mesh: mesh}
			e.Destinations = destinations(dicts(item, section.list()), section, namespace(object), mesh)
			e.Instead = instead(item)
			out = append(out, e)
		}
	}
	return out, nil
}

func sectionsOf(object Object) ([]Section, error) {
	group, _, _ := strings.Cut(str(object, "apiVersion"), "/")
	kind := str(object, "kind")
	switch {
	case kind == "VirtualService" && group == "networking.istio.io":
		return []Section{HTTP, TLS, TCP}, nil
	case group == "gateway.networking.k8s.io" && strings.HasSuffix(kind, "Route"):
		return []Section{Rules}, nil
	}
	return nil, fault.Usagef("name a VirtualService or an HTTPRoute", "%s %s of %s holds no weights", kind, objectName(object), group)
}

// instead names what an entry has in place of destinations.
func instead(item map[string]any) string {
	for _, key := range []string{"redirect", "directResponse", "delegate"} {
		if item[key] != nil {
			return key
		}
	}
	for _, f := range dicts(item, "filters") { // HTTPRoute
		if str(f, "type") == "RequestRedirect" {
			return "redirect"
		}
	}
	return ""
}

// Choose picks the entry that --route NAME|INDEX means (also "http[1]"), or without it the only one that splits traffic,
// or else the only one with a destination. E_CHOOSE lists them when that is not one; E_NO_WEIGHTS when none has
// destinations.
func Choose(entries []Entry, route string) (Entry, error) {
	if len(entries) == 0 {
		return Entry{}, fault.New(fault.Refused, "", "the object has no routes").Named("E_NO_WEIGHTS")
	}
	about := strings.ToLower(entries[0].Kind()) + " " + entries[0].Namespace() + "/" + entries[0].ObjectName()
	if route != "" {
		return chooseNamed(entries, route, about)
	}
	var split, any []Entry
	for _, e := range entries {
		if len(e.Destinations) > 1 {
			split = append(split, e)
		}
		if len(e.Destinations) > 0 {
			any = append(any, e)
		}
	}
	switch {
	case len(split) == 1:
		return split[0], nil
	case len(split) == 0 && len(any) == 1:
		return any[0], nil
	case len(any) == 0:
		return Entry{}, noWeights(entries[0], about)
	case len(split) > 0:
		return Entry{}, choose(split, "%s: %d routes split traffic", about, len(split))
	}
	return Entry{}, choose(any, "%s: %d routes have one destination each and none splits traffic", about, len(any))
}

func chooseNamed(entries []Entry, route, about string) (Entry, error) {
	var found []Entry
	for _, e := range entries {
		if e.Called(route) {
			found = append(found, e)
		}
	}
	switch {
	case len(found) == 0:
		return Entry{}, choose(entries, "%s: no route %q", about, route)
	case len(found) > 1:
		return Entry{}, choose(found, "%s: %q fits %d routes", about, route, len(found))
	case len(found[0].Destinations) == 0:
		return Entry{}, noWeights(found[0], about)
	}
	return found[0], nil
}

// Called says whether --route NAME|INDEX means the entry.
func (e Entry) Called(route string) bool {
	return e.Slot() == route || strconv.Itoa(e.Index) == route || e.Name != "" && e.Name == route
}

func noWeights(e Entry, about string) error {
	what, hint := "no destinations", ""
	switch e.Instead {
	case "delegate":
		what = "a delegate in place of destinations"
		ns, name, _ := e.Delegate()
		hint = fmt.Sprintf("the weights are in the delegate: name %s with -n %s", printable(name), printable(ns))
	case "redirect", "directResponse":
		what = "a " + e.Instead + " in place of destinations"
		hint = "a " + e.Instead + " answers at the gateway; there are no weights to change"
	}
	return fault.New(fault.Refused, hint, "%s: %s has %s", about, e.Slot(), what).Named("E_NO_WEIGHTS")
}

func choose(among []Entry, format string, args ...any) error {
	const most = 12 // an object may have hundreds; kubectl mesh-split get shows them all
	more := ""
	if n := len(among) - most; n > 0 {
		more, among = fmt.Sprintf(" and %d more", n), among[:most]
	}
	list := make([]string, len(among))
	for i, e := range among {
		list[i] = e.Slot()
		if e.Name != "" {
			list[i] += " " + strconv.Quote(e.Name)
		}
		if len(e.Destinations) > 0 {
			list[i] += " (" + e.summary() + ")"
		}
	}
	return fault.Usagef("choose one with --route NAME or --route INDEX: "+strings.Join(list, ", ")+more, format, args...).Named("E_CHOOSE")
}

// summary is "v1 90, v2 10".
func (e Entry) summary() string {
	parts := make([]string, len(e.Destinations))
	for i, d := range e.Destinations {
		parts[i] = d.Short + " " + strconv.FormatInt(d.Effective, 10)
	}
	return strings.Join(parts, ", ")
}
