package route

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// Proxy is one gateway workload: pods that run the same configuration.
type Proxy struct {
	Namespace string            // empty if unknown
	Labels    map[string]string // without those that tell one pod from another
	Revision  string            // of the istiod that feeds it; empty if unknown
}

func (p Proxy) String() string {
	var l []string
	for k, v := range p.Labels {
		l = append(l, k+"="+v)
	}
	sort.Strings(l)
	return printable(p.Namespace + " " + strings.Join(l, ","))
}

// The labels that controllers give to single pods and revisions.
var podLabels = []string{"pod-template-hash", "controller-revision-hash", "statefulset.kubernetes.io/pod-name",
	"apps.kubernetes.io/pod-index", "pod-template-generation"}

// Proxies are the gateway workloads among the pods: those that a Gateway with a selector selects. Without pods there is
// one for each selector, of unknown namespace.
func (m *Mesh) Proxies() []Proxy {
	var out []Proxy
	seen := map[string]bool{}
	add := func(p Proxy) {
		if key := p.String() + " " + p.Revision; !seen[key] {
			seen[key] = true
			out = append(out, p)
		}
	}
	for _, pod := range m.Pods {
		p := Proxy{Namespace: namespace(pod), Labels: labels(pod, "metadata", "labels"), Revision: str(pod, "metadata", "annotations", RevisionLabel)}
		for _, key := range podLabels {
			delete(p.Labels, key)
		}
		if slices.ContainsFunc(m.Gateways, func(g Object) bool { return len(dict(g, "spec", "selector")) > 0 && m.selects(g, p) }) {
			add(p)
		}
	}
	if len(m.Pods) == 0 {
		for _, g := range m.Gateways {
			add(Proxy{Labels: labels(g, "spec", "selector")})
		}
	}
	return out
}

// selects says whether the selector of a Gateway takes a proxy, whatever keeps it from it.
func (m *Mesh) selects(gateway Object, p Proxy) bool {
	for k, v := range labels(gateway, "spec", "selector") {
		if p.Labels[k] != v {
			return false
		}
	}
	return true
}

// server is one server of a Gateway as a proxy runs it.
type server struct {
	gateway Object
	raw     map[string]any
	number  int // in the Gateway
	listens int // in the pod
	hosts   []string
}

func (s server) name() string     { return namespace(s.gateway) + "/" + objectName(s.gateway) }
func (s server) protocol() string { return strings.ToUpper(str(s.raw, "port", "protocol")) }
func (s server) redirects() bool  { return boolean(s.raw, "tls", "httpsRedirect") }

// plain says that the server speaks HTTP without TLS.
func (s server) plain() bool {
	return slices.Contains([]string{"HTTP", "HTTP2", "GRPC", "GRPC-WEB", "HTTP_PROXY"}, s.protocol())
}

func (s server) passthrough() bool {
	mode := str(s.raw, "tls", "mode")
	return mode == "PASSTHROUGH" || mode == "AUTO_PASSTHROUGH"
}

// terminates says that the server ends TLS and speaks HTTP behind it.
func (s server) terminates() bool { return s.protocol() == "HTTPS" && !s.passthrough() }

// routeConfig is the name of the server's route configuration in Envoy. istio pilot/pkg/model gatewayRDSRouteName.
func (s server) routeConfig() string {
	bind := str(s.raw, "bind")
	if bind != "" {
		bind = "." + bind
	}
	switch {
	case s.plain():
		return "http." + strconv.Itoa(s.listens) + bind
	case s.terminates():
		return fmt.Sprintf("https.%d.%s.%s.%s%s", s.number, str(s.raw, "port", "name"), objectName(s.gateway), namespace(s.gateway), bind)
	}
	return ""
}

// servers are the servers of the Gateways that select a proxy, by age of the Gateways. A server with TLS settings whose
// host another one of its port has already is left out, as istiod leaves it out; skipped names those, and Gateways that istiod
// does not read.
func (m *Mesh) servers(p Proxy) (out []server, skipped []string) {
	gateways := slices.Clone(m.Gateways)
	slices.SortStableFunc(gateways, byAge)
	taken := map[string]bool{} // port, bind and host of servers with TLS settings
	for _, g := range gateways {
		if !m.selects(g, p) {
			continue
		}
		if u := cmp.Or(m.outOfScope(g, p), m.unread(g, p)); u != nil {
			skipped = append(skipped, u.Says)
			continue
		}
		for _, raw := range dicts(g, "spec", "servers") {
			number, ok := integer(at(raw, "port", "number"))
			if !ok {
				continue
			}
			s := server{gateway: g, raw: raw, number: int(number), listens: m.targetPort(p, int(number)), hosts: strs(raw, "hosts")}
			if raw["tls"] != nil && s.claim(taken) {
				skipped = append(skipped, fmt.Sprintf("%s port %d: another server has one of its hosts", s.name(), s.number))
				continue
			}
			out = append(out, s)
		}
	}
	return out, skipped
}

// claim takes the server's hosts; true if one is taken already.
func (s server) claim(taken map[string]bool) bool {
	var mine []string
	for _, h := range s.hosts {
		if scope, name, ok := strings.Cut(h, "/"); ok && scope == "*" {
			h = name
		} else if ok && scope == "." {
			h = namespace(s.gateway) + "/" + name
		}
		key := strconv.Itoa(s.listens) + " " + str(s.raw, "bind") + " " + h
		if taken[key] {
			return true
		}
		mine = append(mine, key)
	}
	for _, key := range mine {
		taken[key] = true
	}
	return false
}

// targetPort translates a server's number by the Services that select the proxy; a number that none of them has is the
// port itself.
func (m *Mesh) targetPort(p Proxy, port int) int {
	for _, s := range m.Services {
		selector := labels(s, "spec", "selector")
		if len(selector) == 0 || p.Namespace != "" && namespace(s) != p.Namespace || !subset(selector, p.Labels) {
			continue
		}
		for _, one := range dicts(s, "spec", "ports") {
			if n, ok := number(one, "port"); !ok || int(n) != port {
				continue
			}
			if target, ok := number(one, "targetPort"); ok && target != 0 {
				return int(target)
			}
			if n := m.containerPort(p, str(one, "targetPort")); n != 0 {
				return n
			}
			return port
		}
	}
	return port
}

// servicePort is the port of a Service that selects the proxy and has the given node port; 0 if there is none.
func (m *Mesh) servicePort(p Proxy, node int) int {
	for _, s := range m.Services {
		selector := labels(s, "spec", "selector")
		if len(selector) == 0 || p.Namespace != "" && namespace(s) != p.Namespace || !subset(selector, p.Labels) {
			continue
		}
		for _, one := range dicts(s, "spec", "ports") {
			if n, ok := number(one, "nodePort"); ok && int(n) == node {
				port, _ := number(one, "port")
				return int(port)
			}
		}
	}
	return 0
}

// containerPort looks a named target port up in the pods.
func (m *Mesh) containerPort(p Proxy, name string) int {
	for _, pod := range m.Pods {
		if namespace(pod) != p.Namespace || !subset(p.Labels, labels(pod, "metadata", "labels")) {
			continue
		}
		for _, c := range dicts(pod, "spec", "containers") {
			for _, port := range dicts(c, "ports") {
				if n, ok := number(port, "containerPort"); ok && str(port, "name") == name {
					return int(n)
				}
			}
		}
	}
	return 0
}

func subset(selector, of map[string]string) bool {
	for k, v := range selector {
		if of[k] != v {
			return false
		}
	}
	return true
}
