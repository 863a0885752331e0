package route

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// gatewayGroup is the API group of Gateways and routes of the Gateway API.
const gatewayGroup = "gateway.networking.k8s.io"

// whichListener is Which at a Gateway of the Gateway API: the closest listener, the routes attached to it, the closest
// host among theirs, and of their matches the most specific one, an order that the API defines.
// https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule
func (m *Mesh) whichListener(g Object, p Probe, dump *Dump) (*Decision, error) {
	d := &Decision{Probe: p, Proxy: m.proxyOf(g), Gateway: namespace(g) + "/" + objectName(g), Server: p.port()}
	listener := closestListener(g, p)
	if port := m.servicePort(d.Proxy, p.port()); listener == nil && port != 0 { // the address of a node, as people paste it
		p.Port, d.Server = port, port
		listener = closestListener(g, p)
	}
	if listener == nil {
		return d, refuse("E_NO_LISTENER", "look at the listeners of gateway "+d.Gateway, "gateway %s has no %s listener on port %d for %s", d.Gateway, p.Scheme, p.port(), printable(p.domain()))
	}
	if p.Scheme == "http" {
		d.RouteConfig = fmt.Sprintf("http.%d", m.targetPort(d.Proxy, p.port()))
	}
	var routes []candidate
	var unread *Unread
	domain := ""
	for _, r := range m.Routes {
		if !attached(r, g, listener) {
			continue
		}
		here := routeDomain(r, listener, p.domain())
		if u := m.unread(r, d.Proxy); u != nil && here != "" {
			unread, here = u, ""
		}
		switch {
		case here == "" || domain != "" && closer(domain, here):
		case here == domain:
			routes = append(routes, ruleCandidates(r)...)
		default:
			domain, routes = here, ruleCandidates(r)
		}
	}
	if domain == "" && unread != nil {
		return d, refuse("E_NOT_READ", unread.Advice, "%s", unread.Says)
	}
	if domain == "" {
		return d, refuse("E_HOST_NOT_SERVED", "look at hostnames and parentRefs of the routes", "no route of gateway %s has host %s: it answers 404", d.Gateway, printable(p.domain()))
	}
	d.VirtualHost = fmt.Sprintf("%s:%d", domain, p.port())
	slices.SortStableFunc(routes, moreSpecific)
	if d.RouteConfig == "" { // Istio names the configurations of TLS listeners after objects of its own
		dump = nil
	}
	return d, m.decide(d, routes, dump)
}

// closestListener is the listener of the probe's port and protocol whose hostname is closest to the host, or to the SNI.
func closestListener(g Object, p Probe) map[string]any {
	protocol, host := "HTTP", p.domain()
	if p.Scheme == "https" {
		protocol, host = "HTTPS", p.sni()
	}
	var best map[string]any
	for _, l := range dicts(g, "spec", "listeners") {
		port, _ := number(l, "port")
		if int(port) != p.port() || str(l, "protocol") != protocol || !hostCovers(listenerHost(l), host) {
			continue
		}
		if best == nil || closer(listenerHost(l), listenerHost(best)) {
			best = l
		}
	}
	return best
}

func listenerHost(l map[string]any) string {
	if h := str(l, "hostname"); h != "" {
		return strings.ToLower(h)
	}
	return "*"
}

// routeDomain is the closest domain that a route and its listener share and that covers the host; empty if none.
func routeDomain(r Object, listener map[string]any, host string) string {
	names := strs(r, "spec", "hostnames")
	if len(names) == 0 {
		names = []string{"*"}
	}
	best := ""
	for _, h := range names {
		d := narrower(strings.ToLower(h), listenerHost(listener))
		if d != "" && hostCovers(d, host) && (best == "" || closer(d, best)) {
			best = d
		}
	}
	return best
}

// ruleCandidates are the routes of an HTTPRoute or GRPCRoute: one per match, or one for a rule without.
func ruleCandidates(r Object) []candidate {
	var out []candidate
	for i, rule := range dicts(r, "spec", "rules") {
		name := str(rule, "name")
		if name == "" {
			name = ruleName(r, i)
		}
		it := item{object: r, index: i, root: -1, name: name, raw: rule}
		matches := dicts(rule, "matches")
		if len(matches) == 0 {
			matches = []map[string]any{{}}
		}
		for _, match := range matches {
			out = append(out, candidate{generated: generated{item: it, match: translateMatch(r, match)}, root: r})
		}
	}
	return out
}

// translateMatch writes a match of the Gateway API as one of a VirtualService, as istiod does.
func translateMatch(r Object, match map[string]any) map[string]any {
	out := map[string]any{}
	if str(r, "kind") == "GRPCRoute" {
		out["uri"] = grpcPath(dict(match, "method"))
	} else {
		if method := str(match, "method"); method != "" {
			out["method"] = map[string]any{"exact": method}
		}
		path := "/"
		if v := str(match, "path", "value"); v != "" {
			path = v
		}
		switch str(match, "path", "type") {
		case "Exact":
			out["uri"] = map[string]any{"exact": path}
		case "RegularExpression":
			out["uri"] = map[string]any{"regex": path}
		default:
			if path != "/" {
				path = strings.TrimSuffix(path, "/")
			}
			out["uri"] = map[string]any{segments: path}
		}
	}
	for from, to := range map[string]string{"headers": "headers", "queryParams": "queryParams"} {
		conditions := map[string]any{}
		for _, c := range dicts(match, from) {
			kind := "exact"
			if str(c, "type") == "RegularExpression" {
				kind = "regex"
			}
			if _, twice := conditions[str(c, "name")]; !twice { // the first of equal names counts
				conditions[str(c, "name")] = map[string]any{kind: str(c, "value")}
			}
		}
		if len(conditions) > 0 {
			out[to] = conditions
		}
	}
	return out
}

// grpcPath is the path of a gRPC method: /service/method.
func grpcPath(method map[string]any) map[string]any {
	service, name := str(method, "service"), str(method, "method")
	if str(method, "type") == "RegularExpression" {
		if service == "" {
			service = "[^/]+"
		}
		if name == "" {
			name = "[^/]+"
		}
		return map[string]any{"regex": "/" + service + "/" + name}
	}
	switch {
	case service != "" && name != "":
		return map[string]any{"exact": "/" + service + "/" + name}
	case service != "":
		return map[string]any{segments: "/" + service}
	case name != "":
		return map[string]any{"regex": "/[^/]+/" + name}
	}
	return map[string]any{segments: "/"}
}

// moreSpecific orders candidates: exact path, prefix, regex; the longer one; with a method; more headers; more query
// parameters; the older route; its name; the earlier rule. A catch-all goes last, behind every regex.
func moreSpecific(a, b candidate) int {
	rank := func(c candidate) []int {
		uri := dict(c.match, "uri")
		kind, value := 1, str(uri, "regex")
		switch {
		case uri["exact"] != nil:
			kind, value = 3, str(uri, "exact")
		case uri[segments] != nil:
			kind, value = 2, str(uri, segments)
		}
		method := 0
		if c.match["method"] != nil {
			method = 1
		}
		headers, params := len(dict(c.match, "headers")), len(dict(c.match, "queryParams"))
		specific := 1
		if (value == "/" && kind == 2 || value == ".*" && kind == 1) && method+headers+params == 0 {
			specific = 0
		}
		return []int{specific, kind, len(value), method, headers, params}
	}
	if c := slices.Compare(rank(b), rank(a)); c != 0 {
		return c
	}
	return cmp.Or(
		strings.Compare(str(a.root, "metadata", "creationTimestamp"), str(b.root, "metadata", "creationTimestamp")),
		strings.Compare(a.source(), b.source()), a.index-b.index)
}
