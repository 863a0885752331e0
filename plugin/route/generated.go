package route

import (
	"slices"
)

// Listener is what decides which match items of a VirtualService become routes: those for other ports, other gateways
// and other proxies are dropped. Zero fields are unknown and drop nothing.
type Listener struct {
	Port      int               // server number in the Gateway, such as 80
	Gateway   string            // "namespace/name"
	Labels    map[string]string // of the gateway pods
	Namespace string            // of the gateway pods
}

// generated is one route that istiod makes of an http entry: one per match item.
type generated struct {
	item
	match    map[string]any // nil for an entry without
	catchAll bool
}

// name is the route's name in Envoy: the entry's, and the match item's behind a dot.
func (g generated) envoyName() string {
	if m := str(g.match, "name"); m != "" {
		return g.name + "." + m
	}
	return g.name
}

// generate gives the routes of a VirtualService's http entries in the order istiod makes them: it stops after the first
// catch-all. istio pilot/pkg/networking/core/route BuildHTTPRoutesForVirtualService.
func generate(items []item, l Listener) []generated {
	var out []generated
	for _, it := range items {
		if len(it.matches) == 0 {
			return append(out, generated{item: it, catchAll: true})
		}
		for _, m := range it.matches {
			if !l.admits(m, namespace(it.object)) {
				continue
			}
			g := generated{item: it, match: m, catchAll: catchAll(m)}
			out = append(out, g)
			if g.catchAll {
				return out
			}
		}
	}
	return out
}

// admits says whether a match item is for this listener.
func (l Listener) admits(match map[string]any, objectNamespace string) bool {
	if port, ok := number(match, "port"); ok && port != 0 && l.Port != 0 && int(port) != l.Port {
		return false
	}
	if gateways := strs(match, "gateways"); len(gateways) > 0 {
		return slices.ContainsFunc(gateways, func(g string) bool {
			name := gatewayName(g, objectNamespace)
			return name == l.Gateway || l.Gateway == "" && name != "mesh" // no gateway's listener is that of the sidecars
		})
	}
	if l.Labels != nil {
		for k, v := range labels(match, "sourceLabels") {
			if l.Labels[k] != v {
				return false
			}
		}
	}
	ns := str(match, "sourceNamespace")
	return ns == "" || l.Namespace == "" || ns == l.Namespace
}

// catchAll says whether istiod takes a match item for one that everything fits: prefix / or regex .*, and no condition
// that Envoy sees as a header or a query parameter (method, scheme and authority are headers there).
func catchAll(match map[string]any) bool {
	uri := dict(match, "uri")
	if len(uri) > 0 && str(uri, "prefix") != "/" && str(uri, "regex") != ".*" {
		return false
	}
	for _, key := range []string{"headers", "withoutHeaders", "queryParams", "method", "scheme", "authority"} {
		if len(dict(match, key)) > 0 {
			return false
		}
	}
	return true
}
