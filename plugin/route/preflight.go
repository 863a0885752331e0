package route

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/mesh-split/mesh-split/verify/fault"
)

// Place is the gateway that the checks take the point of view of.
type Place struct {
	Namespace string // of its pods
	Port      int    // number of the server that the routes are bound to
}

// Finding is one check's answer for one destination: an error that refuses, or what could not be checked.
type Finding struct {
	Check     string // for --skip-check: service, port, subset, endpoints, capacity, accepted
	Err       error  // nil when it only could not be checked
	Unchecked string // W_UNCHECKED: which kind could not be read
}

// Preflight checks the destinations whose share rises, so that a change does not send users where nobody answers. Nothing
// is found when all is well; lowering a share is always well. Kinds of the Mesh that are nil were not read.
func (m *Mesh) Preflight(c Change, from Place) []Finding {
	var out []Finding
	for _, d := range c.Rising() {
		out = append(out, m.checkDestination(c.Entry, d, from)...)
	}
	if len(out) == 0 {
		out = append(out, m.checkCapacity(c, from)...)
	}
	if c.Entry.Section == Rules && c.Moves() {
		out = append(out, checkAccepted(c.Entry)...)
	}
	return out
}

func unchecked(check, kind string) []Finding { return []Finding{{Check: check, Unchecked: kind}} }

func found(check, name, hint, format string, args ...any) []Finding {
	return []Finding{{Check: check, Err: fault.New(fault.Refused, hint, format, args...).Named(name)}}
}

// checkDestination stops at the first thing that is missing: what comes later depends on it.
func (m *Mesh) checkDestination(e Entry, d Destination, from Place) []Finding {
	if d.FQDN == "" {
		return nil
	}
	service, entry := m.service(d), m.serviceEntry(d, from.Namespace)
	if service == nil && entry == nil {
		if m.Services == nil {
			return unchecked("service", "services")
		}
		return found("service", "E_NO_SERVICE", m.hostHint(d), "%s: host %s of %s is no Service and no exported ServiceEntry: its share would be answered %d", e, printable(d.Host), d.Short, e.missing())
	}
	if f := m.checkPort(e, d, service, entry, from); f != nil {
		return f
	}
	var subset map[string]string
	if d.Subset != "" {
		if m.DestinationRules == nil {
			return unchecked("subset", "destinationrules")
		}
		rules := m.rulesFor(d.FQDN, d.Namespace, from.Namespace)
		l, ok := subsetOf(rules, d.Subset)
		if !ok {
			return m.noSubset(e, d, rules)
		}
		subset = l
	}
	if service == nil {
		return checkServiceEntry(e, d, entry, subset)
	}
	if entry != nil && namespace(entry) == d.Namespace && len(dicts(entry, "spec", "endpoints")) > 0 {
		return checkServiceEntry(e, d, entry, subset) // Istio gives a host the endpoints of both
	}
	ready, kind := m.ready(d, subset)
	if kind != "" {
		return unchecked("endpoints", kind)
	}
	if ready == 0 {
		return found("endpoints", "E_NO_ENDPOINTS", "look at the pods: kubectl get endpointslices -n "+d.Namespace+" -l kubernetes.io/service-name="+d.Service,
			"%s: %s has no ready endpoint: its share would be answered 503", e, d.Short)
	}
	return nil
}

// missing is how a gateway answers for a destination that does not exist.
func (e Entry) missing() int {
	if e.Section == Rules { // the Gateway API wants it so
		return 500
	}
	return 503
}

func (m *Mesh) service(d Destination) Object {
	for _, s := range m.Services {
		if d.Service != "" && objectName(s) == d.Service && namespace(s) == d.Namespace {
			return s
		}
	}
	return nil
}

func (m *Mesh) serviceEntry(d Destination, g string) Object {
	for _, s := range m.ServiceEntries {
		to := strs(s, "spec", "exportTo")
		visible := len(to) == 0 || slices.Contains(to, "*") || slices.Contains(to, g) || slices.Contains(to, ".") && namespace(s) == g
		if visible && slices.ContainsFunc(strs(s, "spec", "hosts"), func(h string) bool { return hostCovers(strings.ToLower(h), d.FQDN) }) {
			return s
		}
	}
	return nil
}

// hostHint knows the commonest mistake: service.namespace, which nothing makes a full host of.
func (m *Mesh) hostHint(d Destination) string {
	if full := d.FQDN + ".svc." + m.domain(); strings.Count(d.FQDN, ".") == 1 {
		service, ns := serviceOf(full, m.domain())
		if m.service(Destination{Service: service, Namespace: ns}) != nil {
			return "a host with a dot is taken as it is: write " + full
		}
	}
	return "look at the Services: kubectl get service -n " + cmpOr(d.Namespace, "NAMESPACE")
}

func cmpOr(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// checkPort: the destination's own port, else the only one, else the number of the gateway's server.
func (m *Mesh) checkPort(e Entry, d Destination, service, entry Object, from Place) []Finding {
	o := service
	if o == nil {
		o = entry
	}
	var ports []int
	for _, p := range dicts(o, "spec", "ports") {
		n, ok := number(p, "port")
		if !ok {
			n, _ = number(p, "number")
		}
		ports = append(ports, int(n))
	}
	switch {
	case d.Port != 0 && slices.Contains(ports, d.Port), d.Port == 0 && len(ports) == 1, d.Port == 0 && slices.Contains(ports, from.Port):
		return nil
	case d.Port == 0:
		return found("port", "E_NO_PORT", "write destination.port.number", "%s: %s names no port, its Service has %v, and none is the gateway's %d: its share would be answered 503", e, d.Short, ports, from.Port)
	}
	return found("port", "E_NO_PORT", "choose one of the Service's ports", "%s: %s has no port %d, only %v: its share would be answered 503", e, d.Short, d.Port, ports)
}

// noSubset tells a subset that nobody defines from one whose rule another rule hides.
func (m *Mesh) noSubset(e Entry, d Destination, applying []Object) []Finding {
	names := func(rules []Object) string {
		var out []string
		for _, r := range rules {
			out = append(out, namespace(r)+"/"+objectName(r))
		}
		return strings.Join(out, ", ")
	}
	for _, r := range m.DestinationRules {
		if _, ok := subsetOf([]Object{r}, d.Subset); ok && len(applying) > 0 && hostCovers(m.ruleHost(r), d.FQDN) {
			return found("subset", "E_SUBSET_SHADOWED", "define the subset in "+names(applying)+" too", "%s: subset %s is defined in destinationrule %s, but at the gateway %s applies and hides it: its share would be answered 503",
				e, printable(d.Subset), names([]Object{r}), names(applying))
		}
	}
	return found("subset", "E_NO_SUBSET", "define it in a DestinationRule for "+printable(d.FQDN), "%s: no destinationrule that applies at the gateway defines subset %s of %s: its share would be answered 503",
		e, printable(d.Subset), printable(d.FQDN))
}

func checkServiceEntry(e Entry, d Destination, entry Object, subsetLabels map[string]string) []Finding {
	endpoints := dicts(entry, "spec", "endpoints")
	if len(endpoints) == 0 { // DNS or workloadSelector: not known from here
		return nil
	}
	if !slices.ContainsFunc(endpoints, func(p map[string]any) bool { return subset(subsetLabels, labels(p, "labels")) }) {
		return found("endpoints", "E_NO_ENDPOINTS", "look at spec.endpoints of serviceentry "+namespace(entry)+"/"+objectName(entry), "%s: no endpoint of %s has the subset's labels", e, d.Short)
	}
	return nil
}

// ready counts the ready endpoints of a Service whose pods have the labels; kind says which kind could not be read.
func (m *Mesh) ready(d Destination, want map[string]string) (count int, kind string) {
	if m.EndpointSlices == nil {
		return 0, "endpointslices"
	}
	if len(want) > 0 && m.Workloads == nil {
		return 0, "pods"
	}
	seen := map[string]bool{}
	for _, slice := range m.EndpointSlices {
		if namespace(slice) != d.Namespace || str(slice, "metadata", "labels", "kubernetes.io/service-name") != d.Service {
			continue
		}
		for i, endpoint := range dicts(slice, "endpoints") {
			if r, ok := at(endpoint, "conditions", "ready").(bool); ok && !r {
				continue
			}
			pod := str(endpoint, "targetRef", "name")
			key := cmpOr(pod, fmt.Sprint(objectName(slice), i)) // a pod with two addresses is one pod
			if !seen[key] && (len(want) == 0 || subset(want, m.podLabels(d.Namespace, pod))) {
				seen[key] = true
				count++
			}
		}
	}
	return count, ""
}

func (m *Mesh) podLabels(ns, name string) map[string]string {
	for _, p := range m.Workloads {
		if objectName(p) == name && namespace(p) == ns {
			return labels(p, "metadata", "labels")
		}
	}
	return nil
}

// checkCapacity: after the change no pod may get more than twice what the busiest version's pods get now.
func (m *Mesh) checkCapacity(c Change, from Place) []Finding {
	var out []Finding
	for _, l := range m.PodLoads(c, from) {
		if l.Times.Cmp(big.NewRat(2, 1)) > 0 {
			out = append(out, found("capacity", "E_CAPACITY", "scale it up first, or go in smaller steps; --skip-check=capacity goes on", "%s: %s has %d ready pods: with %s %% each gets %s times the requests that the busiest pod gets now",
				c.Entry, l.Destination.Short, l.Pods, percent(l.Share), decimal(l.Times, 1))...)
		}
	}
	return out
}

// checkAccepted reads what the gateway's controller wrote of an HTTPRoute. What it wrote of an older generation says nothing,
// and nothing is held against the route then: weights, which are all that changes here, are not what it judges.
func checkAccepted(e Entry) []Finding {
	generation, _ := number(e.Object, "metadata", "generation")
	parents := dicts(e.Object, "status", "parents")
	if len(parents) == 0 {
		return found("accepted", "E_NOT_ACCEPTED", "is the Gateway of spec.parentRefs there, and who serves its class? kubectl get gateways.gateway.networking.k8s.io -A",
			"%s: no gateway has taken the route: its status is empty", e)
	}
	for _, parent := range parents {
		for _, c := range dicts(parent, "conditions") {
			kind := str(c, "type")
			seen, _ := number(c, "observedGeneration")
			if (kind == "Accepted" || kind == "ResolvedRefs") && seen == generation && str(c, "status") != "True" {
				return found("accepted", "E_NOT_ACCEPTED", "look at the route's status: "+printable(str(c, "message")), "%s: the gateway's controller says %s is %s (%s)",
					e, kind, printable(str(c, "status")), printable(str(c, "reason")))
			}
		}
	}
	return nil
}
