package route

// whichConnection governs what is no HTTP to the gateway: TLS that passes through goes by the tls entries' SNI hosts, TLS
// that ends at a TCP server by the tcp entries.
func (m *Mesh) whichConnection(d *Decision, servers []server) (*Decision, error) {
	s := servers[0]
	section := TCP
	if s.passthrough() {
		section = TLS
	}
	l := Listener{Port: s.number, Gateway: s.name(), Labels: d.Proxy.Labels, Namespace: d.Proxy.Namespace}
	var first *Entry
	for _, vs := range m.bound(m.covering(d.Probe.sni()), s, d.Proxy) {
		if len(m.domains(s, vs, d.Probe.sni())) == 0 {
			continue
		}
		entries, err := Entries(vs, m)
		if err != nil {
			return d, err
		}
		for _, e := range entries {
			if e.Section != section {
				continue
			}
			fits := l.takes(e, d.Probe.sni())
			d.Steps = append(d.Steps, Step{e.String(), map[bool]string{true: "yes", false: "no"}[fits], ""})
			switch {
			case fits && first == nil:
				first = &e
			case fits && first.ObjectName()+"/"+first.Namespace() != e.ObjectName()+"/"+e.Namespace():
				return d, refuse("E_ORDER_UNDEFINED", "give each host to one VirtualService", "%s and %s both take connections to %s, and Istio does not define which comes first",
					first, e, printable(d.Probe.sni()))
			}
		}
	}
	if first == nil {
		return d, refuse("E_NO_ROUTE", "look at spec."+string(section)+" of the VirtualServices with this host", "no %s route of gateway %s takes connections to %s",
			section, s.name(), printable(d.Probe.sni()))
	}
	d.Entry, d.Root = first, first.Object
	return d, nil
}

// takes says whether one of the match items of a tls or tcp entry is for this listener and server name.
func (l Listener) takes(e Entry, sni string) bool {
	matches := dicts(e.Raw, "match")
	if len(matches) == 0 {
		return e.Section == TCP // a tls entry without match takes nothing
	}
	for _, match := range matches {
		if !l.admits(match, e.Namespace()) {
			continue
		}
		if e.Section == TCP {
			return true
		}
		for _, h := range strs(match, "sniHosts") {
			if hostCovers(h, sni) {
				return true
			}
		}
	}
	return false
}
