package route

import (
	"fmt"
	"strconv"
	"strings"
)

// routesOf are the routes of a virtual host that were made from the entry. ok is false when the host holds routes of the
// object that cannot be paired with its entries: the Envoy has another state of the object.
func (h VirtualHost) routesOf(e Entry, o Origin) (routes []EnvoyRoute, ok bool) {
	if e.Section == Rules {
		return h.ruleRoutes(e), true
	}
	ns, name := e.Namespace(), e.ObjectName()
	if o.Object != "" {
		ns, name = o.Namespace, o.Object
	}
	var mine []EnvoyRoute
	for _, r := range h.Routes {
		if r.Namespace == ns && r.Object == name {
			mine = append(mine, r)
		}
	}
	if len(mine) == 0 {
		return nil, true
	}
	l := o.Listener
	if l.Port == 0 { // the virtual host is named <host>:<server port>
		if i := strings.LastIndexByte(h.Name, ':'); i >= 0 {
			l.Port, _ = strconv.Atoi(h.Name[i+1:])
		}
	}
	if routes, ok := pairInOrder(mine, e, o, l); ok {
		return routes, true
	}
	return pairByName(mine, e, o)
}

// expected is one route that the object should give.
type expected struct {
	name string // of the Envoy route
	mine bool   // it comes from the entry in question
}

// pairInOrder pairs the routes of the object with those that it should give now, one by one; an object bound to two
// gateways of one port gives them twice.
func pairInOrder(routes []EnvoyRoute, e Entry, o Origin, l Listener) ([]EnvoyRoute, bool) {
	want := expectedRoutes(e, o, l)
	if len(want) == 0 || len(routes)%len(want) != 0 {
		return nil, false
	}
	var out []EnvoyRoute
	for i, r := range routes {
		w := want[i%len(want)]
		if r.Name != w.name {
			return nil, false
		}
		if w.mine {
			out = append(out, r)
		}
	}
	return out, true
}

func expectedRoutes(e Entry, o Origin, l Listener) []expected {
	var out []expected
	object := e.Object
	if o.Root != nil {
		object = o.Root
	}
	http := dicts(object, "spec", "http")
	var last *expected // a catch-all goes last; there is one at most
	for _, g := range generate(http, namespace(object), l) {
		w := expected{name: routeName(http[g.entry], g.match), mine: o.Root == nil && g.entry == e.Index}
		if o.Root != nil && g.entry == o.Index {
			return nil // delegates are paired by name
		}
		if g.catchAll {
			last = &w
			continue
		}
		out = append(out, w)
	}
	if last != nil {
		out = append(out, *last)
	}
	return out
}

// routeName is the name istiod gives: the entry's, and the match item's behind a dot.
func routeName(item, match map[string]any) string {
	name := str(item, "name")
	if m := str(match, "name"); m != "" {
		name += "." + m
	}
	return name
}

// pairByName takes the routes with the entry's name, provided that no other entry has it. A delegate's entry is called
// root-delegate, or by the one name of the two that is there.
func pairByName(routes []EnvoyRoute, e Entry, o Origin) ([]EnvoyRoute, bool) {
	name := e.Name
	siblings := dicts(e.Object, "spec", "http")
	if o.Root != nil {
		root := ""
		if http := dicts(o.Root, "spec", "http"); o.Index < len(http) {
			root = str(http[o.Index], "name")
		}
		name = joinNames(root, e.Name)
	}
	count := 0
	for _, s := range siblings {
		if str(s, "name") == e.Name {
			count++
		}
	}
	if name == "" || count > 1 {
		return nil, false
	}
	var out []EnvoyRoute
	for _, r := range routes {
		if r.Name == name || strings.HasPrefix(r.Name, name+".") {
			out = append(out, r)
		}
	}
	return out, true
}

func joinNames(root, delegate string) string {
	if root == "" || delegate == "" {
		return root + delegate
	}
	return root + "-" + delegate
}

// ruleRoutes are the routes of an HTTPRoute's rule: they are called <namespace>.<name>.<rule>, or by the rule's name.
func (h VirtualHost) ruleRoutes(e Entry) []EnvoyRoute {
	generic := fmt.Sprintf("%s.%s.%d", e.Namespace(), e.ObjectName(), e.Index)
	var out []EnvoyRoute
	for _, r := range h.Routes {
		if r.Namespace == e.Namespace() && (r.Name == generic || e.Name != "" && r.Name == e.Name && strings.HasPrefix(r.Object, e.ObjectName())) {
			out = append(out, r)
		}
	}
	return out
}
