package route

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mesh-split/mesh-split/verify/fault"
)

// depths order the errors of several gateways: the one that came furthest says most.
var depths = []string{"E_NO_LISTENER", "E_HOST_NOT_SERVED", "E_MESH_ONLY", "E_NOT_READ", "E_NOT_EXPORTED", "E_REDIRECTS", "E_NO_ROUTE",
	"E_DELEGATE_DROPPED", "E_DUMP_DIFFERS", "E_MATCH_UNKNOWN", "E_ORDER_UNDEFINED", "E_NO_WEIGHTS"}

// Which says which http entry governs a request at the mesh's gateways, by the rules istiod and Envoy follow: server, bound
// VirtualServices, virtual host, routes in order, first that fits. A dump of a gateway's Envoy, or nil, settles what the
// objects leave open. The Decision is there also with an error, as far as it came.
//
// Errors: E_NO_LISTENER, E_REDIRECTS, E_MESH_ONLY, E_NOT_READ, E_NOT_EXPORTED, E_HOST_NOT_SERVED, E_NO_ROUTE, E_MATCH_UNKNOWN,
// E_ORDER_UNDEFINED, E_NO_WEIGHTS, E_DUMP_DIFFERS.
func (m *Mesh) Which(p Probe, dump *Dump) (*Decision, error) {
	var best *Decision
	var bestErr error
	take := func(d *Decision, err error) {
		switch {
		case best != nil && best.beside(d): // one Envoy, which picks the closest domain and never comes back
			if closer(d.domain(), best.domain()) {
				best, bestErr = d, err
			}
		case best == nil || bestErr != nil && (err == nil || depth(err) > depth(bestErr)):
			best, bestErr = d, err
		case err == nil && bestErr == nil && d.Entry.String() != best.Entry.String():
			best.warn("W_GATEWAYS_DIFFER", "at gateway %s %s governs", d.Gateway, d.Entry)
		}
	}
	for _, proxy := range m.Proxies() {
		take(m.whichAt(proxy, p, dump))
	}
	for _, g := range m.GatewayAPIs {
		take(m.whichListener(g, p, dump))
	}
	if best == nil {
		best, bestErr = &Decision{Probe: p}, refuse("E_NO_LISTENER", "look at the Gateways' selectors and the gateway pods' labels", "no Gateway selects any gateway pod")
	}
	if m.Assumed != "" {
		best.warn("W_UNCHECKED", "%s: to whom routes are exported and which namespaces are read is taken to be Istio's default", m.Assumed)
	}
	return best, bestErr
}

func depth(err error) int {
	e, ok := err.(*fault.Error)
	if !ok {
		return len(depths)
	}
	return slices.Index(depths, e.Name)
}

func refuse(name, hint, format string, args ...any) error {
	return fault.New(fault.Refused, hint, format, args...).Named(name)
}

func (m *Mesh) whichAt(proxy Proxy, p Probe, dump *Dump) (*Decision, error) {
	d := &Decision{Probe: p, Proxy: proxy, Server: p.port()}
	servers, skipped := m.servers(proxy)
	for _, s := range skipped {
		d.warn("W_SERVER_SKIPPED", "%s", s)
	}
	mine, err := pick(servers, p)
	if port := m.servicePort(proxy, p.port()); err != nil && port != 0 { // the address of a node, as people paste it
		p.Port = port
		mine, err = pick(servers, p)
	}
	if err != nil {
		return d, err
	}
	first := mine[0]
	d.Gateway, d.Server, d.RouteConfig = first.name(), first.number, first.routeConfig()
	if d.RouteConfig == "" {
		return m.whichConnection(d, mine)
	}
	host, err := m.virtualHost(proxy, mine, p)
	if err != nil {
		return d, err
	}
	d.Gateway, d.Server = host.server.name(), host.server.number
	d.VirtualHost = fmt.Sprintf("%s:%d", host.domain, host.server.number)
	if host.redirect {
		to := p
		to.Scheme, to.Host = "https", withoutPort(p.Host)
		return d, refuse("E_REDIRECTS", "use --url "+to.String(), "the gateway redirects %s to %s", p, to)
	}
	for _, mb := range host.members {
		d.members = append(d.members, mb.vs)
	}
	return d, m.decide(d, m.routes(proxy, host), dump)
}

// pick finds the servers that take the request: for http all plain ones of the listening port, for https the one whose
// host fits the SNI best.
func pick(servers []server, p Probe) ([]server, error) {
	var there []string
	var out []server
	listens := -1
	for _, s := range servers {
		there = append(there, fmt.Sprintf("%s port %d %s", s.name(), s.number, s.protocol()))
		if s.number == p.port() && s.plain() == (p.Scheme == "http") && listens < 0 {
			listens = s.listens
		}
	}
	for _, s := range servers {
		if s.listens != listens || s.plain() != (p.Scheme == "http") {
			continue
		}
		if s.plain() {
			out = append(out, s)
			continue
		}
		if better := sniDomain(s, p.sni()); better != "" && (len(out) == 0 || closer(better, sniDomain(out[0], p.sni()))) {
			out = []server{s}
		}
	}
	if len(out) == 0 {
		hint := "servers here: " + strings.Join(there, ", ")
		if len(there) == 0 {
			hint = "no Gateway selects these pods"
		}
		what := fmt.Sprintf("port %d", p.port())
		if p.Scheme == "https" {
			what += " and server name " + printable(p.sni())
		}
		return nil, refuse("E_NO_LISTENER", printable(hint), "no %s server for %s", p.Scheme, what)
	}
	return out, nil
}

// sniDomain is the closest host of a server that covers the name; empty if none does.
func sniDomain(s server, sni string) string {
	best := ""
	for _, h := range s.hosts {
		if _, name, ok := strings.Cut(h, "/"); ok {
			h = name
		}
		h = strings.ToLower(h)
		if hostCovers(h, sni) && (best == "" || closer(h, best)) {
			best = h
		}
	}
	return best
}

// virtualHost is the set of VirtualServices that share the virtual host of a request.
type virtualHost struct {
	domain   string
	server   server // the first that gave it
	members  []member
	redirect bool
}

type member struct {
	server server
	vs     Object
}

// virtualHost finds it: of each server host and VirtualService host the narrower one is a domain, and the closest to the
// request's host wins, with no way back to a wider one.
func (m *Mesh) virtualHost(proxy Proxy, servers []server, p Probe) (virtualHost, error) {
	host := p.domain()
	covering := m.covering(host)
	var all []virtualHost
	at := func(domain string, s server) *virtualHost {
		for i := range all {
			if all[i].domain == domain {
				return &all[i]
			}
		}
		all = append(all, virtualHost{domain: domain, server: s})
		return &all[len(all)-1]
	}
	for _, s := range servers {
		for _, vs := range m.bound(covering, s, proxy) {
			for _, domain := range m.domains(s, vs, host) {
				v := at(domain, s)
				v.members = append(v.members, member{s, vs})
				v.redirect = v.redirect || s.redirects()
			}
		}
		for _, h := range s.hosts {
			if _, name, ok := strings.Cut(h, "/"); ok {
				h = name
			}
			if s.redirects() && hostCovers(strings.ToLower(h), host) {
				at(strings.ToLower(h), s).redirect = true
			}
		}
	}
	if len(all) == 0 {
		return virtualHost{}, m.notServed(covering, servers, proxy, host)
	}
	best := all[0]
	for _, v := range all[1:] {
		if closer(v.domain, best.domain) {
			best = v
		}
	}
	return best, nil
}

// covering are the VirtualServices with a host that covers the request's; delegates have none. It looks at every
// VirtualService of the cluster, so it allocates nothing for those it leaves out.
func (m *Mesh) covering(host string) []Object {
	var out []Object
	for _, vs := range m.VirtualServices {
		if slices.ContainsFunc(list(vs, "spec", "hosts"), func(v any) bool {
			h, _ := v.(string)
			return hostCovers(strings.ToLower(h), host) || !strings.ContainsAny(h, ".*") && slices.Contains(m.hostsOf(vs), host)
		}) {
			out = append(out, vs)
		}
	}
	return out
}

// domains are the distinct domains that a server and a VirtualService share and that cover the host.
func (m *Mesh) domains(s server, vs Object, host string) []string {
	var out []string
	for _, a := range serverHosts(s.hosts, namespace(s.gateway), namespace(vs)) {
		for _, b := range m.hostsOf(vs) {
			if d := narrower(a, b); d != "" && hostCovers(d, host) && !slices.Contains(out, d) {
				out = append(out, d)
			}
		}
	}
	return out
}

// gatewaysOf are the full names of the Gateways a VirtualService is bound to, without "mesh".
func gatewaysOf(vs Object) []string {
	var out []string
	for _, g := range strs(vs, "spec", "gateways") {
		if name := gatewayName(g, namespace(vs)); name != "mesh" {
			out = append(out, name)
		}
	}
	return out
}

// bound are the VirtualServices of a server's Gateway in istiod's order: by how far they are exported, then by age.
func (m *Mesh) bound(among []Object, s server, proxy Proxy) []Object {
	var out []Object
	for _, vs := range among {
		if slices.Contains(gatewaysOf(vs), s.name()) && m.exportedTo(vs, proxy.Namespace) != no && m.unread(vs, proxy) == nil {
			out = append(out, vs)
		}
	}
	slices.SortStableFunc(out, func(a, b Object) int {
		if c := m.exportRank(a, proxy.Namespace) - m.exportRank(b, proxy.Namespace); c != 0 {
			return c
		}
		return byAge(a, b)
	})
	return out
}

// notServed says what keeps a VirtualService with the host from the gateway.
func (m *Mesh) notServed(covering []Object, servers []server, proxy Proxy, host string) error {
	for _, vs := range covering {
		name := namespace(vs) + "/" + objectName(vs)
		gateways, unread := gatewaysOf(vs), m.unread(vs, proxy)
		switch {
		case len(gateways) == 0:
			return meshOnly(vs)
		case unread != nil:
			return refuse("E_NOT_READ", unread.Advice, "%s", unread.Says)
		case m.exportedTo(vs, proxy.Namespace) == no && slices.ContainsFunc(servers, func(s server) bool { return slices.Contains(gateways, s.name()) }):
			return refuse("E_NOT_EXPORTED", "export it: spec.exportTo of "+name, "virtualservice %s has host %s but is not exported to the gateway's namespace %s",
				name, printable(host), proxy.Namespace)
		}
	}
	hint := "no VirtualService has this host"
	if len(covering) > 0 {
		var names []string
		for _, vs := range covering {
			names = append(names, namespace(vs)+"/"+objectName(vs)+" (gateways "+strings.Join(gatewaysOf(vs), ", ")+")")
		}
		hint = "these have the host, but no server of the gateway admits them: " + strings.Join(names, "; ")
	}
	return refuse("E_HOST_NOT_SERVED", printable(hint), "the gateway does not serve host %s: it answers 404", printable(host))
}

func meshOnly(vs Object) error {
	name := namespace(vs) + "/" + objectName(vs)
	return refuse("E_MESH_ONLY", "bind it to a gateway: spec.gateways of "+name, "virtualservice %s applies to callers inside the mesh only: it names no gateway", name)
}
