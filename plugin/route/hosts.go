package route

import (
	"slices"
	"strings"
)

// hostCovers says whether a host pattern (a full host, "*" or "*.suffix") includes a host or a narrower pattern.
func hostCovers(pattern, host string) bool {
	suffix, wild := strings.CutPrefix(pattern, "*")
	if !wild {
		return pattern == host
	}
	rest, hostWild := strings.CutPrefix(host, "*")
	if hostWild && len(host) < len(pattern) {
		return false
	}
	return strings.HasSuffix(rest, suffix)
}

// narrower is the intersection of two patterns; empty when they share no host.
func narrower(a, b string) string {
	switch {
	case hostCovers(b, a):
		return a
	case hostCovers(a, b):
		return b
	}
	return ""
}

// closer says whether Envoy prefers domain a to b for a host that both fit: exact before suffixes, longer before shorter.
func closer(a, b string) bool {
	wildA, wildB := strings.HasPrefix(a, "*"), strings.HasPrefix(b, "*")
	if wildA != wildB {
		return wildB
	}
	return len(a) > len(b)
}

// hostsOf are the hosts of a VirtualService, lower case; one without a dot grows by namespace and cluster domain.
func (m *Mesh) hostsOf(vs Object) []string {
	var out []string
	for _, h := range strs(vs, "spec", "hosts") {
		if h != "" && !strings.ContainsAny(h, ".*") {
			h += "." + namespace(vs) + ".svc." + m.domain()
		}
		out = append(out, strings.ToLower(h))
	}
	return out
}

// serverHosts are the hosts of a Gateway's server that admit a VirtualService of a namespace: ns/h only that one's, ./h
// the Gateway's own, */h and h all.
func serverHosts(hosts []string, gatewayNamespace, ns string) []string {
	var out []string
	for _, h := range hosts {
		scope, name, ok := strings.Cut(h, "/")
		if ok {
			if scope == "." {
				scope = gatewayNamespace
			}
			if scope != "*" && scope != ns {
				continue
			}
			h = name
		}
		out = append(out, strings.ToLower(h))
	}
	return out
}

// exportedTo says whether an object is exported to a namespace, by its exportTo or the mesh's default; unknown when the
// namespace is.
func (m *Mesh) exportedTo(o Object, ns string) truth {
	to := strs(o, "spec", "exportTo")
	if len(to) == 0 && m != nil {
		to = m.DefaultExportTo
	}
	if len(to) == 0 || slices.Contains(to, "*") {
		return yes
	}
	if slices.Contains(to, "~") {
		return no
	}
	if ns == "" {
		return unknown
	}
	return truthOf(slices.Contains(to, ns) || slices.Contains(to, ".") && namespace(o) == ns)
}

// exportRank orders VirtualServices as istiod does: those exported only to the gateway's own namespace, those exported to
// a list, those exported to all.
func (m *Mesh) exportRank(o Object, ns string) int {
	to := strs(o, "spec", "exportTo")
	if len(to) == 0 && m != nil {
		to = m.DefaultExportTo
	}
	switch {
	case len(to) == 0 || slices.Contains(to, "*"):
		return 2
	case namespace(o) == ns:
		return 0
	}
	return 1
}

// byAge orders objects as istiod does: creation time in seconds, name, namespace.
func byAge(a, b Object) int {
	if c := strings.Compare(str(a, "metadata", "creationTimestamp"), str(b, "metadata", "creationTimestamp")); c != 0 {
		return c // RFC 3339 in UTC sorts as text
	}
	if c := strings.Compare(objectName(a), objectName(b)); c != 0 {
		return c
	}
	return strings.Compare(namespace(a), namespace(b))
}
