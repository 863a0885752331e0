package route

import (
	"fmt"
	"strings"
)

// candidate is one route of the virtual host, in Envoy's order.
type candidate struct {
	generated
	root Object
	fits truth
	why  string
}

func (c candidate) source() string { return namespace(c.root) + "/" + objectName(c.root) }

// entry is where the route's weights are edited, without destinations.
func (i item) entry() Entry {
	section := HTTP
	if str(i.object, "kind") != "VirtualService" {
		section = Rules
	}
	return Entry{Object: i.object, Section: section, Index: i.index, Name: str(i.raw, "name"), Raw: i.raw}
}

func (c candidate) String() string { return c.entry().String() }

// gave says whether Envoy's route was made from this one. The object that Istio makes of HTTPRoutes has a name and a namespace
// of its own, but the route's name tells enough.
func (c candidate) gave(r EnvoyRoute) bool {
	if c.entry().Section == Rules {
		return r.Name == c.envoyName() && r.ofGatewayAPI()
	}
	return r.Name == c.envoyName() && r.Namespace+"/"+r.Object == c.source()
}

// routes are the routes of a virtual host: VirtualService by VirtualService, catch-alls moved to the end.
func (m *Mesh) routes(proxy Proxy, host virtualHost) []candidate {
	var out, last []candidate
	for _, mb := range host.members {
		items, _ := m.merge(mb.vs)
		l := Listener{Port: mb.server.number, Gateway: mb.server.name(), Labels: proxy.Labels, Namespace: proxy.Namespace}
		for _, g := range generate(items, l) {
			c := candidate{generated: g, root: mb.vs}
			if g.catchAll {
				last = append(last, c)
			} else {
				out = append(out, c)
			}
		}
	}
	return append(out, last...)
}

// decide evaluates the routes and settles which one governs.
func (m *Mesh) decide(d *Decision, routes []candidate, dump *Dump) error {
	winner, doubt := -1, -1
	for i := range routes {
		c := &routes[i]
		c.fits, c.why = yes, ""
		if c.match != nil {
			c.fits, c.why = d.Probe.fits(c.match)
		}
		d.Steps = append(d.Steps, Step{c.String(), [...]string{"no", "unknown", "yes"}[c.fits], c.why})
		switch {
		case c.fits == yes && winner < 0:
			winner = i
		case c.fits == unknown && winner < 0 && doubt < 0:
			doubt = i
		}
	}
	if winner < 0 && doubt < 0 {
		return m.noRoute(d, routes)
	}
	if doubt >= 0 {
		c := routes[doubt]
		return refuse("E_MATCH_UNKNOWN", "send what settles it (-H), or name the route with --route", "whether %s takes %s cannot be known: %s", c, d.Probe, c.why)
	}
	rival := -1
	for i, c := range routes {
		if c.entry().Section != Rules && c.source() != routes[winner].source() && c.fits != no && rival < 0 {
			rival = i // the Gateway API defines the order, Istio does not
		}
	}
	if dump != nil {
		shown, err := d.inDump(dump, routes)
		if err != nil {
			return err
		}
		if rival >= 0 {
			winner = shown
		} else if shown != winner {
			return refuse("E_DUMP_DIFFERS", "look for an EnvoyFilter or another revision of istiod", "by the objects %s governs %s, but in Envoy %s comes first",
				routes[winner], d.Probe, routes[shown])
		}
	}
	if rival >= 0 && dump == nil {
		return refuse("E_ORDER_UNDEFINED", "look at the gateway's Envoy (--dump FILE), or give each host to one VirtualService",
			"%s and %s both take %s, and Istio does not define which comes first", routes[winner], routes[rival], d.Probe)
	}
	if rival >= 0 {
		d.warn("W_SHARED_HOST", "%s and %s both take such requests; in this Envoy %s comes first", routes[min(winner, rival)], routes[max(winner, rival)], routes[winner])
	}
	return m.settle(d, routes[winner])
}

// settle fills the decision with the route that governs.
func (m *Mesh) settle(d *Decision, c candidate) error {
	entries, err := Entries(c.object, m)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Slot() == c.entry().Slot() {
			d.Entry = &e
		}
	}
	d.Root, d.EnvoyName = c.root, c.envoyName()
	if d.Entry.Section == HTTP {
		d.Warnings = append(d.Warnings, m.unreachable(c.root)...)
	}
	if len(d.Entry.Destinations) == 0 {
		return noWeights(*d.Entry, strings.ToLower(d.Entry.Kind())+" "+d.Entry.Namespace()+"/"+d.Entry.ObjectName())
	}
	return nil
}

// unreachable warns of entries behind a catch-all.
func (m *Mesh) unreachable(root Object) []Warning {
	var out []Warning
	items, _ := m.merge(root)
	taken := ""
	for _, it := range items {
		e := it.entry()
		if taken != "" {
			out = append(out, Warning{"W_UNREACHABLE", fmt.Sprintf("%s can never match: %s before it takes everything", e.Slot(), taken)})
			continue
		}
		all := len(it.matches) == 0
		for _, match := range it.matches {
			narrow := match["port"] != nil || match["gateways"] != nil || match["sourceLabels"] != nil || match["sourceNamespace"] != nil
			all = all || catchAll(match) && !narrow
		}
		if all {
			taken = e.Slot()
		}
	}
	return out
}

func (m *Mesh) noRoute(d *Decision, routes []candidate) error {
	var dropped []string
	seen := map[string]bool{}
	look := func(root Object) {
		if name := namespace(root) + "/" + objectName(root); !seen[name] {
			seen[name] = true
			_, drops := m.merge(root)
			for _, x := range drops {
				dropped = append(dropped, x.String())
			}
		}
	}
	for _, c := range routes {
		look(c.root)
	}
	for _, root := range d.members { // one that lost every route gives no candidate
		look(root)
	}
	hint := "the path of the decision is printed by kubectl mesh-split which"
	if len(dropped) > 0 {
		hint = "istiod leaves out: " + strings.Join(dropped, "; ")
	}
	return refuse("E_NO_ROUTE", hint, "virtual host %s has no route for %s: the gateway answers 404", printable(d.VirtualHost), d.Probe)
}

func (x drop) String() string {
	what := x.ns + "/" + x.name
	if x.index >= 0 {
		what += fmt.Sprintf(" http[%d]", x.index)
	}
	return printable(what + ": " + x.why)
}

// Reach looks at an entry without any request: whether it gives routes at a gateway at all (E_MESH_ONLY,
// E_DELEGATE_DROPPED, E_NOT_EXPORTED), and what Live needs to find them. For a delegate the first root that takes it
// counts. It knows VirtualServices only; other kinds pass.
func (m *Mesh) Reach(e Entry) (Origin, []Warning, error) {
	if e.Kind() != "VirtualService" {
		return Origin{}, nil, nil
	}
	root := e.Object
	var o Origin
	if len(strs(e.Object, "spec", "hosts")) == 0 {
		roots, err := m.Roots(e)
		if err != nil {
			return Origin{}, nil, err
		}
		root, o.Root = roots[0], roots[0]
	}
	gateways := gatewaysOf(root)
	if len(gateways) == 0 {
		return o, nil, meshOnly(root)
	}
	for _, p := range m.Proxies() {
		if m.exportedTo(root, p.Namespace) != no {
			return o, m.unreachable(root), nil
		}
	}
	if len(m.Pods) > 0 && len(m.Proxies()) > 0 {
		return o, nil, refuse("E_NOT_EXPORTED", "export it: spec.exportTo of "+namespace(root)+"/"+objectName(root),
			"virtualservice %s/%s is not exported to the namespace of any gateway", namespace(root), objectName(root))
	}
	return o, m.unreachable(root), nil
}
