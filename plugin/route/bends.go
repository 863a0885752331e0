package route

import (
	"fmt"
	"slices"
	"strings"
)

// Injected faults are percentages of requests, in [0, 100], which an entry delays, and which the gateway answers itself. Without a
// percentage Istio does neither. https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPFaultInjection
func (e Entry) InjectedFaults() (delayed, aborted float64) {
	part := func(kind string) float64 {
		f := dict(e.Raw, "fault", kind)
		if f == nil {
			return 0
		}
		for _, v := range []any{at(f, "percentage", "value"), f["percent"]} {
			switch n := v.(type) {
			case float64:
				return n
			case int64:
				return float64(n)
			}
		}
		return 0
	}
	return part("delay"), part("abort")
}

// Mirror is where an entry sends copies of requests, whose replies nobody sees.
type Mirror struct {
	To  string // in full, for people
	Own bool   // it is a destination of the entry, as Envoy counts
}

// Mirrors are those that get any copy.
func (e Entry) Mirrors() []Mirror {
	var items []map[string]any
	add := func(item map[string]any, percentage any) {
		if p, ok := integer(percentage); !ok || p != 0 { // absent is all
			items = append(items, item)
		}
	}
	if e.Section == Rules {
		filters := dicts(e.Raw, "filters")
		for _, d := range e.Destinations {
			filters = append(filters, dicts(d.Raw, "filters")...)
		}
		for _, f := range filters {
			if str(f, "type") == "RequestMirror" {
				percentage := at(f, "requestMirror", "percent")
				if percentage == nil {
					percentage = at(f, "requestMirror", "fraction", "numerator")
				}
				add(dict(f, "requestMirror", "backendRef"), percentage)
			}
		}
	} else {
		if m := dict(e.Raw, "mirror"); m != nil {
			percentage := at(e.Raw, "mirrorPercentage", "value")
			if percentage == nil {
				percentage = e.Raw["mirrorPercent"]
			}
			add(map[string]any{"destination": m}, percentage)
		}
		for _, m := range dicts(e.Raw, "mirrors") {
			add(map[string]any{"destination": dict(m, "destination")}, at(m, "percentage", "value"))
		}
	}
	var out []Mirror
	for _, d := range destinations(items, e.Section, e.Namespace(), e.mesh) {
		m := Mirror{To: d.FQDN}
		if m.To == "" {
			m.To = d.Host
		}
		if d.Subset != "" {
			m.To += " subset " + d.Subset
		}
		m.Own = slices.ContainsFunc(e.Destinations, func(o Destination) bool {
			return d.FQDN != "" && o.FQDN == d.FQDN && o.Subset == d.Subset && (o.Port == d.Port || o.Port == 0 || d.Port == 0)
		})
		if !slices.Contains(out, m) {
			out = append(out, m)
		}
	}
	return out
}

// Sessions say which destinations keep a client on one of their endpoints, and by what. The version is drawn before, for every
// request anew: none of it bends a split. g is the namespace of the gateway.
func (m *Mesh) Sessions(e Entry, g string) []string {
	if m == nil {
		return nil
	}
	var out []string
	for _, d := range e.Destinations {
		for _, r := range m.rulesFor(d.FQDN, d.Namespace, g) {
			if hashes(r, d) {
				out = append(out, fmt.Sprintf("%s (consistentHash of DestinationRule %s/%s)", d.Short, namespace(r), objectName(r)))
				break
			}
		}
		for _, s := range slices.Concat(m.Services, m.ServiceEntries) {
			is := objectName(s) == d.Service && namespace(s) == d.Namespace && str(s, "kind") != "ServiceEntry" ||
				slices.ContainsFunc(strs(s, "spec", "hosts"), func(h string) bool { return strings.EqualFold(h, d.FQDN) })
			for _, key := range []string{"istio.io/persistent-session", "istio.io/persistent-session-header"} {
				if is && str(s, "metadata", "labels", key) != "" {
					out = append(out, fmt.Sprintf("%s (%s)", d.Short, key))
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// hashes says whether the traffic policy that a rule has for a destination hashes: that of the port, of the subset, of all.
func hashes(rule Object, d Destination) bool {
	policies := []map[string]any{dict(rule, "spec", "trafficPolicy")}
	for _, s := range dicts(rule, "spec", "subsets") {
		if d.Subset != "" && str(s, "name") == d.Subset && dict(s, "trafficPolicy", "loadBalancer") != nil {
			policies = []map[string]any{dict(s, "trafficPolicy")}
		}
	}
	for _, p := range policies {
		for _, port := range dicts(p, "portLevelSettings") {
			if n, _ := number(port, "port", "number"); (d.Port == 0 || int(n) == d.Port) && dict(port, "loadBalancer") != nil {
				p = port
			}
		}
		if dict(p, "loadBalancer", "consistentHash") != nil {
			return true
		}
	}
	return false
}

// ByCookie are entries of the object before this one that look at cookies: who was given a cookie comes back to them.
func (e Entry) ByCookie() []string {
	var out []string
	all, err := Entries(e.Object, e.mesh)
	if err != nil || e.Section != HTTP && e.Section != Rules {
		return nil
	}
	for _, other := range all {
		before := other.Section == e.Section && (other.Index < e.Index || e.Section == Rules && other.Index != e.Index)
		if before && slices.ContainsFunc(other.matches(Listener{}), func(m map[string]any) bool {
			return slices.ContainsFunc(keys(dict(m, "headers")), func(h string) bool { return strings.EqualFold(h, "cookie") })
		}) {
			out = append(out, other.Label())
		}
	}
	return out
}
