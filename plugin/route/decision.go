package route

import (
	"fmt"
	"strings"

	"github.com/mesh-split/mesh-split/verify/fault"
)

// Warning is something to say that stops nothing.
type Warning struct{ Name, Text string }

// Step is one route that was looked at on the way to the decision.
type Step struct {
	Route string // shop/web http[0] "api"
	Fits  string // "yes", "no" or "unknown"
	Why   string // the condition that decided, for no and unknown
}

// Decision is which entry governs a request, and the way there.
type Decision struct {
	Probe       Probe
	Proxy       Proxy
	Gateway     string // namespace/name of the Gateway whose server takes the request
	Server      int    // number of that server
	RouteConfig string // in Envoy, such as "http.8080"; empty where TLS passes through
	VirtualHost string // in Envoy, such as "shop.example.com:80"
	Entry       *Entry // the one that governs, where its weights are edited; nil when there is none
	Root        Object // the VirtualService that Envoy's metadata names: the entry's own, or the one that delegates to it
	EnvoyName   string // of the route
	Steps       []Step // routes in Envoy's order
	Warnings    []Warning

	members []Object // VirtualServices of the virtual host
}

// ConfigObject is the VirtualService that Envoy's metadata names: "shop/web".
func (d *Decision) ConfigObject() string { return namespace(d.Root) + "/" + objectName(d.Root) }

// Origin is what Live needs to find the entry's routes in a dump.
func (d *Decision) Origin() Origin {
	o := Origin{Listener: Listener{Port: d.Server, Labels: d.Proxy.Labels, Namespace: d.Proxy.Namespace}}
	if d.Entry != nil && (objectName(d.Root) != d.Entry.ObjectName() || namespace(d.Root) != d.Entry.Namespace()) {
		o.Root = d.Root
	}
	return o
}

// domain is that of the virtual host.
func (d *Decision) domain() string { return withoutPort(d.VirtualHost) }

// beside says that both were decided in one Envoy, by virtual hosts of different domains.
func (d *Decision) beside(other *Decision) bool {
	return len(d.Proxy.Labels) > 0 && d.Proxy.String() == other.Proxy.String() && d.RouteConfig == other.RouteConfig &&
		d.VirtualHost != "" && other.VirtualHost != "" && d.domain() != other.domain()
}

func (d *Decision) warn(name, format string, args ...any) {
	d.Warnings = append(d.Warnings, Warning{name, fmt.Sprintf(format, args...)})
}

// Require is the governing entry if it is of the object that was named (the root of a delegate counts too) and, with
// --route, the very one; else E_ROUTE_NOT_GOVERNING names both.
func (d *Decision) Require(entries []Entry, route string) (Entry, error) {
	if len(entries) == 0 {
		return Entry{}, fault.New(fault.Refused, "", "the object has no routes").Named("E_NO_WEIGHTS")
	}
	named := entries[0]
	is := func(o Object) bool {
		return objectName(o) == named.ObjectName() && namespace(o) == named.Namespace() && str(o, "kind") == named.Kind()
	}
	if !is(d.Entry.Object) && !is(d.Root) {
		return Entry{}, d.notGoverning(named.Namespace() + "/" + named.ObjectName())
	}
	if route == "" {
		return *d.Entry, nil
	}
	if is(d.Entry.Object) {
		wanted, err := Choose(entries, route)
		if err != nil {
			return Entry{}, err
		}
		if wanted.Slot() != d.Entry.Slot() {
			return Entry{}, d.notGoverning(wanted.String())
		}
	}
	return *d.Entry, nil
}

// Confirm is nil if the decision is this very entry; else E_ROUTE_NOT_GOVERNING names both.
func (d *Decision) Confirm(e Entry) error {
	o := d.Entry
	if o.Kind() != e.Kind() || o.Namespace() != e.Namespace() || o.ObjectName() != e.ObjectName() || o.Slot() != e.Slot() {
		return d.notGoverning(e.String())
	}
	return nil
}

func (d *Decision) notGoverning(named string) error {
	name := d.Entry.ObjectName()
	if d.Entry.Section == Rules {
		name = strings.ToLower(d.Entry.Kind()) + "/" + name
	}
	return fault.New(fault.Refused, fmt.Sprintf("name %s -n %s with --route '%s', or say another request with --path, -H, -X or --host", name, d.Entry.Namespace(), d.Entry.Slot()),
		"%s does not govern %s; %s does", named, d.Probe, d.Entry).Named("E_ROUTE_NOT_GOVERNING")
}
