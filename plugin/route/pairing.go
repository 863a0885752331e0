package route

import (
	"slices"
	"strconv"
	"strings"
)

// routesOf are the routes of a virtual host that were made from the entry. ok is false when the host holds routes of the
// object that cannot be paired with its entries: the Envoy has another state of the object.
func (h VirtualHost) routesOf(e Entry, o Origin) (routes []EnvoyRoute, ok bool) {
	if e.Section == Rules {
		return h.ruleRoutes(e), true
	}
	if roots := e.roots(); o.Root == nil && len(roots) > 0 {
		ok = true
		for _, root := range roots {
			made, paired := h.routesOf(e, Origin{Root: root, Listener: o.Listener})
			routes, ok = append(routes, made...), ok && paired
		}
		return routes, ok
	}
	source := e.source(o)
	ns, name := namespace(source), objectName(source)
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
	want, last := expectedRoutes(e, o, l)
	once := len(want)
	if last != nil {
		once++
	}
	if once == 0 || len(routes)%once != 0 {
		return nil, false
	}
	times := len(routes) / once
	want = slices.Repeat(want, times)
	for range times {
		if last != nil { // catch-alls of a virtual host go behind everything else
			want = append(want, *last)
		}
	}
	var out []EnvoyRoute
	for i, r := range routes {
		w := want[i]
		if r.Name != w.name {
			return nil, false
		}
		if w.mine {
			out = append(out, r)
		}
	}
	return out, true
}

// source is the VirtualService that the metadata of Envoy's routes names.
func (e Entry) source(o Origin) Object {
	if o.Root != nil {
		return o.Root
	}
	return e.Object
}

// expectedRoutes are the routes that the object should give, and the catch-all among them; there is one at most.
func expectedRoutes(e Entry, o Origin, l Listener) (out []expected, last *expected) {
	mesh := new(Mesh)
	if e.mesh != nil {
		*mesh = *e.mesh
	}
	mesh.VirtualServices = append([]Object{e.Object}, mesh.VirtualServices...) // the caller may not have listed any
	items, _ := mesh.merge(e.source(o))
	for _, g := range generate(items, l) {
		w := expected{name: g.envoyName(), mine: g.item.is(e)}
		if g.catchAll {
			last = &w
			continue
		}
		out = append(out, w)
	}
	return out, last
}

// is says whether the item is edited at the entry.
func (i item) is(e Entry) bool {
	return i.index == e.Index && objectName(i.object) == e.ObjectName() && namespace(i.object) == e.Namespace()
}

// pairByName takes the routes with the entry's name, provided that no other entry has it. A delegate's entry is called
// root-delegate, or by the one name of the two that is there.
func pairByName(routes []EnvoyRoute, e Entry, o Origin) ([]EnvoyRoute, bool) {
	names := map[string]bool{}
	count := 0
	for _, s := range dicts(e.Object, "spec", "http") {
		if str(s, "name") == e.Name {
			count++
		}
	}
	if o.Root == nil {
		names[e.Name] = true
	}
	for _, root := range dicts(o.Root, "spec", "http") {
		if str(root, "delegate", "name") == e.ObjectName() {
			names[joinNames(str(root, "name"), e.Name)] = true
		}
	}
	if len(names) == 0 || names[""] || count > 1 {
		return nil, false
	}
	var out []EnvoyRoute
	for _, r := range routes {
		for name := range names {
			if r.Name == name || strings.HasPrefix(r.Name, name+".") {
				out = append(out, r)
				break
			}
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
