package route

import "strings"

// Parent is a Gateway of the Gateway API that a route names, and what it asks of its listeners.
type Parent struct{ Namespace, Name string }

// Parents are the Gateways that an HTTPRoute or GRPCRoute is to be attached to; Services, which only callers inside the mesh
// come through, are left out.
func Parents(r Object) []Parent {
	var out []Parent
	seen := map[Parent]bool{}
	for _, ref := range dicts(r, "spec", "parentRefs") {
		if p, ok := parent(r, ref); ok && !seen[p] {
			seen[p] = true
			out = append(out, p)
		}
	}
	return out
}

// parent reads a reference; ok is false for other kinds than Gateway.
func parent(r Object, ref map[string]any) (p Parent, ok bool) {
	if group, set := ref["group"].(string); set && group != gatewayGroup {
		return p, false
	}
	if kind := str(ref, "kind"); kind != "" && kind != "Gateway" {
		return p, false
	}
	p = Parent{str(ref, "namespace"), str(ref, "name")}
	if p.Namespace == "" {
		p.Namespace = namespace(r)
	}
	return p, true
}

// Opening is a listener that takes requests for a route.
type Opening struct {
	Port int    // as the Gateway says it, which is the Service's port
	TLS  bool   // it ends TLS and speaks HTTP behind it
	Host string // of its hostname; "*" for any
}

// Openings are the listeners of a Gateway that a route is attached to and shares a host with.
func Openings(g, r Object) []Opening {
	var out []Opening
	for _, l := range dicts(g, "spec", "listeners") {
		protocol := str(l, "protocol")
		if protocol != "HTTP" && (protocol != "HTTPS" || str(l, "tls", "mode") == "Passthrough") || !attached(r, g, l) || !sharesHost(r, l) {
			continue
		}
		port, _ := number(l, "port")
		out = append(out, Opening{int(port), protocol == "HTTPS", listenerHost(l)})
	}
	return out
}

func sharesHost(r Object, listener map[string]any) bool {
	names := strs(r, "spec", "hostnames")
	for _, h := range names {
		if narrower(strings.ToLower(h), listenerHost(listener)) != "" {
			return true
		}
	}
	return len(names) == 0
}

// ServicesOf are the Services in front of a Gateway whose Service and pods somebody else deployed: its addresses of type
// Hostname, which istiod reads as Services of the Gateway's own namespace. None: istiod deploys both, and labels them.
// https://istio.io/latest/docs/tasks/traffic-management/ingress/gateway-api/#manual-deployment
func ServicesOf(g Object) []string {
	var out []string
	for _, a := range dicts(g, "spec", "addresses") {
		if kind := str(a, "type"); kind == "" || kind == "Hostname" {
			name, _, _ := strings.Cut(str(a, "value"), ".")
			out = append(out, name)
		}
	}
	return out
}

// NameLabel is on the pods and Services that istiod deploys for a Gateway. https://gateway-api.sigs.k8s.io/geps/gep-1762/
const NameLabel = gatewayGroup + "/gateway-name"

// proxyOf is the workload behind a Gateway: the one that istiod deployed, or that of the Services it names. It may be one that
// Istio's own Gateways select as well.
func (m *Mesh) proxyOf(g Object) Proxy {
	p := Proxy{Namespace: namespace(g), Labels: map[string]string{NameLabel: objectName(g)}}
	for _, name := range ServicesOf(g) {
		for _, s := range m.Services {
			if l := labels(s, "spec", "selector"); objectName(s) == name && namespace(s) == namespace(g) && len(l) > 0 {
				p.Labels = l
			}
		}
	}
	for _, other := range m.Proxies() {
		if other.Namespace == p.Namespace && subset(p.Labels, other.Labels) {
			return other
		}
	}
	return p
}

// attached says whether a route names the listener as a parent and the listener lets its namespace in. Which namespaces a
// selector lets in is written into the route's status by istiod.
func attached(r, g Object, listener map[string]any) bool {
	for _, ref := range dicts(r, "spec", "parentRefs") {
		p, ok := parent(r, ref)
		port, hasPort := number(ref, "port")
		listens, _ := number(listener, "port")
		section := str(ref, "sectionName")
		if !ok || p.Name != objectName(g) || p.Namespace != namespace(g) || section != "" && section != str(listener, "name") || hasPort && port != listens {
			continue
		}
		switch str(listener, "allowedRoutes", "namespaces", "from") {
		case "All":
			return true
		case "Selector":
			return accepted(r, ref)
		case "None":
			return false
		}
		return namespace(r) == namespace(g)
	}
	return false
}

// accepted reads the condition that the controller wrote for a parent.
func accepted(r Object, ref map[string]any) bool {
	for _, parent := range dicts(r, "status", "parents") {
		if str(parent, "parentRef", "name") != str(ref, "name") || str(parent, "parentRef", "sectionName") != str(ref, "sectionName") {
			continue
		}
		for _, c := range dicts(parent, "conditions") {
			if str(c, "type") == "Accepted" && str(c, "status") == "True" {
				return true
			}
		}
	}
	return false
}
