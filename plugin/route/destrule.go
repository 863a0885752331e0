package route

import (
	"slices"
	"strings"
)

// rulesFor are the DestinationRules that apply to a host at a gateway of namespace g: those of the first namespace that
// has any, in the order of the gateway (in the root namespace only rules kept private there), the Service, the root; inside
// it those of the most specific host. Namespaces do not merge. istio pilot/pkg/model PushContext.destinationRule.
func (m *Mesh) rulesFor(fqdn, serviceNamespace, g string) []Object {
	type place struct {
		ns      string
		private bool
	}
	for _, p := range []place{{g, g == m.rootNamespace()}, {serviceNamespace, false}, {m.rootNamespace(), false}} {
		var here []Object
		best := ""
		for _, r := range m.DestinationRules {
			host := m.ruleHost(r)
			if namespace(r) != p.ns || p.ns == "" || !hostCovers(host, fqdn) || !m.ruleReaches(r, g, p.private) {
				continue
			}
			switch {
			case best == "" || closer(host, best):
				best, here = host, []Object{r}
			case host == best:
				here = append(here, r)
			}
		}
		if len(here) > 0 {
			slices.SortStableFunc(here, byAge)
			return here
		}
	}
	return nil
}

func (m *Mesh) ruleHost(r Object) string {
	host := strings.ToLower(str(r, "spec", "host"))
	if host != "" && !strings.ContainsAny(host, ".*") {
		host += "." + namespace(r) + ".svc." + m.domain()
	}
	return host
}

// ruleReaches says whether a rule is exported to the gateway; private asks for rules exported to their own namespace only.
func (m *Mesh) ruleReaches(r Object, g string, private bool) bool {
	to := strs(r, "spec", "exportTo")
	home := len(to) == 1 && (to[0] == "." || to[0] == namespace(r))
	if private {
		return home
	}
	return len(to) == 0 || slices.Contains(to, "*") || slices.Contains(to, g) || slices.Contains(to, ".") && namespace(r) == g
}

// subsetOf finds a subset in rules, the first definition; found is false when there is none.
func subsetOf(rules []Object, name string) (l map[string]string, found bool) {
	for _, r := range rules {
		for _, s := range dicts(r, "spec", "subsets") {
			if str(s, "name") == name {
				return labels(s, "labels"), true
			}
		}
	}
	return nil, false
}
