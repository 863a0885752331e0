package route

import (
	"fmt"
	"slices"
	"strings"
)

// LiveState says how an Envoy stands to an entry.
type LiveState uint8

// The states.
const (
	LiveUnknown LiveState = iota // not known: tcp and tls routes, which are not in route configurations
	Live                         // every route of the entry has exactly the entry's weights
	Stale                        // the entry's routes agree on other weights of its destinations
	Absent                       // no route of the entry: not pushed, not bound, not exported, dropped
	Differs                      // routes disagree, or hold destinations that the entry has not
)

func (s LiveState) String() string {
	return [...]string{"unknown", "live", "stale", "absent", "differs"}[s]
}

// LiveReport is what one Envoy has of one entry.
type LiveReport struct {
	State       LiveState
	Weights     []int64  // per destination as Envoy has them, equal destinations summed at the first; nil unless Live or Stale
	Routes      int      // how many routes were compared
	Configs     []string // names of the route configurations that hold the entry's routes
	Hosts       []string // domains of their virtual hosts
	LastUpdated string   // newest of the configurations; shown, not trusted
	Why         string   // in words, for everything but Live
	Error       string   // a NACK of one of the configurations, or ""
}

// Origin tells what Envoy's routes of an entry were made from, where that cannot be read off its object. The zero Origin
// is right for an entry of its own VirtualService behind any listener, and for a delegate's whose mesh knows its roots.
type Origin struct {
	Root     Object   // the VirtualService that delegates to the entry's object; nil for none
	Listener Listener // narrows which match items become routes
}

// Live compares what the Envoy has with the entry's effective weights.
func (d *Dump) Live(e Entry, o Origin) LiveReport {
	var r LiveReport
	if e.Section == TCP || e.Section == TLS {
		r.Why = string(e.Section) + " routes are not in the route configurations"
		return r
	}
	var seen [][]int64
	for _, c := range d.Configs {
		for _, h := range c.VirtualHosts {
			routes, ok := h.routesOf(e, o)
			if !ok {
				r.State, r.Why = Differs, fmt.Sprintf("the routes of virtual host %s are not those of the object now", printable(h.Name))
			}
			if len(routes) == 0 {
				continue
			}
			r.note(c, h)
			for _, route := range routes {
				r.Routes++
				weights, why := e.weightsOf(route)
				if why != "" {
					r.State, r.Why = Differs, why
					continue
				}
				seen = append(seen, weights)
			}
		}
	}
	if r.State == Differs {
		return r
	}
	return e.judge(r, seen)
}

func (r *LiveReport) note(c RouteConfig, h VirtualHost) {
	if !slices.Contains(r.Configs, c.Name) {
		r.Configs = append(r.Configs, c.Name)
	}
	r.Hosts = append(r.Hosts, h.Domains...)
	r.LastUpdated = max(r.LastUpdated, c.LastUpdated)
	if r.Error == "" {
		r.Error = c.Error
	}
}

// judge settles the state once every route of the entry was read.
func (e Entry) judge(r LiveReport, seen [][]int64) LiveReport {
	if len(seen) == 0 {
		r.State, r.Why = Absent, "no route of "+e.String()
		return r
	}
	for _, w := range seen[1:] {
		if !slices.Equal(w, seen[0]) {
			r.State, r.Why = Differs, fmt.Sprintf("its routes disagree: %v and %v", seen[0], w)
			return r
		}
	}
	r.Weights = seen[0]
	if want := e.summed(); slices.Equal(want, seen[0]) {
		r.State = Live
	} else {
		r.State, r.Why = Stale, fmt.Sprintf("weights %v in place of %v", seen[0], want)
	}
	return r
}

// summed are the weights to be seen in Envoy: equal destinations summed at the first of them. Where only one of them has
// any, Envoy's number says nothing: a plain cluster has none and a list of one may have any, so it counts as 1.
func (e Entry) summed() []int64 {
	out := make([]int64, len(e.Destinations))
	for i, t := range e.Targets() {
		out[e.first(i)] += t.Weight
	}
	return alone(out)
}

// first is the first destination that Envoy cannot tell from destination i.
func (e Entry) first(i int) int {
	d := e.Destinations[i]
	return slices.IndexFunc(e.Destinations, func(o Destination) bool {
		return o.FQDN == d.FQDN && o.Subset == d.Subset && o.Port == d.Port && (o.FQDN != "" || o.Index == d.Index)
	})
}

func alone(weights []int64) []int64 {
	only := -1
	for i, w := range weights {
		if w > 0 && only >= 0 {
			return weights
		}
		if w > 0 {
			only = i
		}
	}
	if only >= 0 {
		weights[only] = 1
	}
	return weights
}

// weightsOf reads a route's clusters as weights of the entry's destinations; why says what does not belong there.
func (e Entry) weightsOf(route EnvoyRoute) (weights []int64, why string) {
	if len(route.Clusters) == 0 {
		return nil, fmt.Sprintf("route %s has no clusters", printable(route.Name))
	}
	weights = make([]int64, len(e.Destinations))
	for _, c := range route.Clusters {
		i := e.destinationOf(c.Cluster)
		if i < 0 {
			return nil, "cluster " + printable(c.Cluster) + " is no destination of " + e.String()
		}
		weights[i] += c.Weight
		if e.says && !e.calls(i, c.Says) {
			return nil, fmt.Sprintf("replies of %s say %q in %s", printable(c.Cluster), c.Says, InjectedHeader)
		}
	}
	return alone(weights), ""
}

// destinationOf finds the destination of a cluster, or -1. A destination without a port fits any port, but one that names
// the port fits better.
func (e Entry) destinationOf(cluster string) int {
	port, subset, fqdn, ok := splitCluster(cluster)
	if !ok {
		return -1
	}
	fit := -1
	for i, d := range e.Destinations {
		if d.FQDN == "" || d.Subset != subset || d.FQDN != fqdn && !strings.EqualFold(e.mesh.externalName(&d), fqdn) {
			continue
		}
		if d.Port == port {
			return e.first(i)
		}
		if d.Port == 0 && fit < 0 {
			fit = e.first(i)
		}
	}
	return fit
}

// externalName is the host behind a Service of that type, which Istio names the cluster after.
func (m *Mesh) externalName(d *Destination) string {
	if m == nil || d.Service == "" {
		return ""
	}
	for _, s := range m.Services {
		if objectName(s) == d.Service && namespace(s) == d.Namespace && str(s, "spec", "type") == "ExternalName" {
			return str(s, "spec", "externalName")
		}
	}
	return ""
}

// Saying is the entry as it is live only where every destination also says its name in InjectedHeader.
func (e Entry) Saying() Entry {
	e.says = true
	return e
}

// calls says whether destination i, or one that Envoy cannot tell from it, has the name.
func (e Entry) calls(i int, name string) bool {
	return slices.ContainsFunc(e.Destinations, func(d Destination) bool { return e.first(d.Index) == i && d.Short == name })
}
