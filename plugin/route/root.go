package route

import (
	"fmt"
	"slices"
	"strings"
)

// IsDelegate says whether a VirtualService has no hosts: it routes only what other VirtualServices, its roots, delegate to it.
func IsDelegate(o Object) bool {
	return str(o, "kind") == "VirtualService" && len(strs(o, "spec", "hosts")) == 0
}

// Delegate is the VirtualService that the entry leaves its routes to; ok is false where it has routes of its own.
func (e Entry) Delegate() (ns, name string, ok bool) {
	d := dict(e.Raw, "delegate")
	if e.Section != HTTP || d == nil {
		return "", "", false
	}
	if ns = str(d, "namespace"); ns == "" {
		ns = e.Namespace()
	}
	return ns, str(d, "name"), true
}

// Roots are the VirtualServices that take the entry of a delegate in. E_DELEGATE_DROPPED says why none does.
func (m *Mesh) Roots(e Entry) ([]Object, error) {
	var roots []Object
	var why []string
	for _, vs := range m.VirtualServices {
		if len(strs(vs, "spec", "hosts")) == 0 {
			continue
		}
		items, drops := m.merge(vs)
		if slices.ContainsFunc(items, func(it item) bool { return it.root >= 0 && it.is(e) }) {
			roots = append(roots, vs)
			continue
		}
		for _, x := range drops {
			if x.ns == e.Namespace() && x.name == e.ObjectName() && (x.index < 0 || x.index == e.Index) {
				why = append(why, fmt.Sprintf("%s/%s http[%d]: %s", namespace(vs), objectName(vs), x.root, x.why))
			}
		}
	}
	if len(roots) > 0 {
		return roots, nil
	}
	if len(why) == 0 {
		why = []string{"no VirtualService delegates to it"}
	}
	return nil, refuse("E_DELEGATE_DROPPED", "a delegate's conditions must lie within those of the entry that delegates to it", "%s gives no route: %s", e, printable(strings.Join(why, "; ")))
}

// Families are the roots and everything that they delegate to: all that the routes of these roots are made from.
func (m *Mesh) Families(roots []Object) []Object {
	out := slices.Clone(roots)
	for _, vs := range m.VirtualServices {
		if IsDelegate(vs) && slices.ContainsFunc(roots, func(root Object) bool { return delegates(root, vs) }) {
			out = append(out, vs)
		}
	}
	return out
}

func delegates(root, to Object) bool {
	return slices.ContainsFunc(dicts(root, "spec", "http"), func(raw map[string]any) bool {
		ns, name, ok := Entry{Object: root, Section: HTTP, Raw: raw}.Delegate()
		return ok && ns == namespace(to) && name == objectName(to)
	})
}

// roots are those of a delegate's entry, as far as its mesh knows them.
func (e Entry) roots() []Object {
	if e.Section != HTTP || e.mesh == nil || !IsDelegate(e.Object) {
		return nil
	}
	roots, _ := e.mesh.Roots(e) // whoever needs one has asked for the reason
	return roots
}

// merged are the match items of a delegate's entry inside those of its roots. None where one of them takes everything.
func (e Entry) merged(roots []Object, l Listener) (out []map[string]any) {
	for _, root := range roots {
		items, _ := e.mesh.merge(root)
		for _, it := range items {
			if !it.is(e) {
				continue
			}
			if len(it.matches) == 0 {
				return nil
			}
			for _, match := range it.matches {
				if l.admits(match, namespace(it.object)) {
					out = append(out, match)
				}
			}
		}
	}
	return out
}
