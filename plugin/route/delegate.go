package route

import (
	"maps"
	"slices"
	"strings"
)

// item is one http entry after delegates were merged in: where it is edited, and what istiod makes of it.
type item struct {
	object  Object // the VirtualService that holds it
	index   int    // in its spec.http
	root    int    // index of the root's entry that delegates to it, or -1
	name    string // of the Envoy route, before the match's name
	matches []map[string]any
	raw     map[string]any
}

// drop says why a delegate's entry gives no route; istiod only logs it.
type drop struct {
	root     int    // entry of the root
	ns, name string // the delegate
	index    int    // entry of the delegate, or -1 for all
	why      string
}

// merge gives the http entries of a VirtualService with those of its delegates in their places.
// istio pilot/pkg/model mergeVirtualServices.
func (m *Mesh) merge(vs Object) (items []item, drops []drop) {
	for i, raw := range dicts(vs, "spec", "http") {
		d := dict(raw, "delegate")
		if d == nil {
			items = append(items, item{object: vs, index: i, root: -1, name: str(raw, "name"), matches: dicts(raw, "match"), raw: raw})
			continue
		}
		ns, name := str(d, "namespace"), str(d, "name")
		if ns == "" {
			ns = namespace(vs)
		}
		delegate, why := m.delegate(vs, ns, name)
		if why != "" {
			drops = append(drops, drop{i, ns, name, -1, why})
			continue
		}
		for j, sub := range dicts(delegate, "spec", "http") {
			matches, why := mergeMatches(dicts(raw, "match"), dicts(sub, "match"), namespace(vs), ns)
			if why != "" {
				drops = append(drops, drop{i, ns, name, j, why})
				continue
			}
			items = append(items, item{object: delegate, index: j, root: i, name: joinNames(str(raw, "name"), str(sub, "name")), matches: matches, raw: sub})
		}
	}
	return items, drops
}

// delegate finds the VirtualService an entry delegates to; why says why istiod does not.
func (m *Mesh) delegate(root Object, ns, name string) (vs Object, why string) {
	for _, o := range m.VirtualServices {
		if objectName(o) != name || namespace(o) != ns {
			continue
		}
		switch {
		case len(strs(o, "spec", "hosts")) > 0:
			return nil, "it has hosts, so it is no delegate"
		case m.exportedTo(o, namespace(root)) == no:
			return nil, "it is not exported to namespace " + namespace(root)
		}
		return o, ""
	}
	return nil, "there is no such VirtualService"
}

// mergeMatches gives the match items of a delegate's entry inside its root's: each must be part of one of the root's; why
// says which is not.
func mergeMatches(root, sub []map[string]any, rootNamespace, subNamespace string) (out []map[string]any, why string) {
	root, sub = resolveGateways(root, rootNamespace), resolveGateways(sub, subNamespace)
	if len(root) == 0 {
		return sub, ""
	}
	if len(sub) == 0 {
		return root, ""
	}
	for _, s := range sub {
		found := false
		first := ""
		for _, r := range root {
			if conflict := matchConflict(r, s); conflict != "" {
				if first == "" {
					first = conflict
				}
				continue
			}
			out, found = append(out, mergeMatch(r, s)), true
		}
		if !found {
			return nil, first
		}
	}
	return out, ""
}

var (
	matchStrings = []string{"uri", "scheme", "method", "authority"}
	matchMaps    = []string{"headers", "withoutHeaders", "queryParams"}
)

// matchConflict says where a delegate's match item is no part of a root's; empty if it is.
func matchConflict(root, sub map[string]any) string {
	for _, key := range matchStrings {
		if stringConflict(dict(root, key), dict(sub, key)) {
			return key + " " + describe(dict(sub, key)) + " is not within " + describe(dict(root, key))
		}
	}
	for _, key := range matchMaps {
		for _, name := range keys(dict(sub, key)) {
			if stringConflict(dict(root, key, name), dict(sub, key, name)) {
				return key + " " + printable(name) + " " + describe(dict(sub, key, name)) + " is not within " + describe(dict(root, key, name))
			}
		}
	}
	if boolean(root, "ignoreUriCase") != boolean(sub, "ignoreUriCase") {
		return "ignoreUriCase differs"
	}
	rootPort, _ := number(root, "port")
	subPort, _ := number(sub, "port")
	if rootPort > 0 && subPort > 0 && rootPort != subPort {
		return "port differs"
	}
	if ns := str(root, "sourceNamespace"); ns != "" && ns != str(sub, "sourceNamespace") {
		return "sourceNamespace differs"
	}
	rootLabels := labels(root, "sourceLabels")
	for k, v := range labels(sub, "sourceLabels") {
		if w, ok := rootLabels[k]; ok && w != v {
			return "sourceLabels differ"
		}
	}
	rootGateways, subGateways := strs(root, "gateways"), strs(sub, "gateways")
	if len(rootGateways) > 0 && len(subGateways) > 0 {
		if len(rootGateways) < len(subGateways) || slices.ContainsFunc(subGateways, func(g string) bool { return !slices.Contains(rootGateways, g) }) {
			return "gateways differ"
		}
	}
	return ""
}

// resolveGateways makes the gateways of match items full names, which mean the same in any namespace.
func resolveGateways(matches []map[string]any, ns string) []map[string]any {
	out := make([]map[string]any, len(matches))
	for i, match := range matches {
		out[i] = match
		if names := strs(match, "gateways"); len(names) > 0 {
			full := make([]any, len(names))
			for j, name := range names {
				full[j] = gatewayName(name, ns)
			}
			out[i] = maps.Clone(match)
			out[i]["gateways"] = full
		}
	}
	return out
}

// stringConflict: regular expressions cannot be compared, so one beside any other condition conflicts; else the
// delegate's must lie within the root's.
func stringConflict(root, sub map[string]any) bool {
	if root == nil || sub == nil {
		return false
	}
	switch {
	case str(root, "regex") != "" || str(sub, "regex") != "":
		return true
	case str(root, "exact") != "":
		return str(sub, "exact") != str(root, "exact")
	case str(root, "prefix") != "" && str(sub, "prefix") != "":
		return !strings.HasPrefix(str(sub, "prefix"), str(root, "prefix"))
	case str(root, "prefix") != "" && str(sub, "exact") != "":
		return !strings.HasPrefix(str(sub, "exact"), str(root, "prefix"))
	}
	return true
}

// mergeMatch is the delegate's match item with the root's conditions where it has none.
func mergeMatch(root, sub map[string]any) map[string]any {
	out := maps.Clone(sub)
	if name := joinNames(str(root, "name"), str(sub, "name")); name != "" {
		out["name"] = name
	}
	for _, key := range append([]string{"port", "sourceNamespace", "gateways"}, matchStrings...) {
		if out[key] == nil && root[key] != nil {
			out[key] = root[key]
		}
	}
	for _, key := range append([]string{"sourceLabels"}, matchMaps...) {
		if of := dict(root, key); len(of) > 0 {
			merged := maps.Clone(of)
			maps.Copy(merged, dict(sub, key))
			out[key] = merged
		}
	}
	return out
}
