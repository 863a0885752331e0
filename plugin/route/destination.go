package route

import (
	"strings"
)

// Weight is a stored weight: the key's value, or that there is no such key.
type Weight struct {
	Set   bool
	Value int64
}

// Destination is one item of an entry's route or backendRefs, with its host made whole.
type Destination struct {
	Index     int    // position in the entry: its identity
	Host      string // as stored
	FQDN      string // full host: a name without a dot grows by namespace and cluster domain, any other is literal; "" for a backend that is no Service
	Service   string // Service name where FQDN has the form of one, else ""
	Namespace string // its namespace, else ""
	Subset    string
	Port      int    // 0 when the object names none
	Version   string // version label of the subset, the Service's selector or the ServiceEntry's endpoints; "" if unknown
	Short     string // shortest unique spelling, for people: "v2", "stage", "reviews/v2", "@1"
	Record    string // spelling that depends on nothing but the object, for the history: "reviews/v2", "flaskapp.stage"

	Stored    Weight
	Effective int64 // what Istio makes of Stored; 0 for a bad one
	Raw       map[string]any

	bad string // why the stored weight is none, or ""
}

// destinations reads the items of an entry; mesh may be nil.
func destinations(items []map[string]any, section Section, objectNamespace string, mesh *Mesh) []Destination {
	r := ruleOf(section)
	out := make([]Destination, len(items))
	for i, item := range items {
		d := &out[i]
		d.Index, d.Raw = i, item
		if section == Rules {
			d.readBackend(item, objectNamespace, mesh)
		} else {
			d.readDestination(dict(item, "destination"), objectNamespace, mesh)
		}
		d.readWeight(item, r)
		d.Version = mesh.version(d, objectNamespace)
		d.Record = d.record(objectNamespace)
	}
	for i := range out {
		out[i].Short = shortest(out, i, mesh)
	}
	return out
}

func (d *Destination) readDestination(dest map[string]any, objectNamespace string, mesh *Mesh) {
	d.Host, d.Subset = str(dest, "host"), str(dest, "subset")
	port, _ := number(dest, "port", "number")
	d.Port = int(port)
	// Istio's ResolveShortnameToFQDN: a host with any dot is a full one, even if it looks like service.namespace.
	d.FQDN = strings.ToLower(d.Host)
	if d.Host != "" && !strings.Contains(d.Host, ".") {
		d.FQDN += "." + objectNamespace + ".svc." + mesh.domain()
	}
	d.Service, d.Namespace = serviceOf(d.FQDN, mesh.domain())
}

func (d *Destination) readBackend(ref map[string]any, objectNamespace string, mesh *Mesh) {
	d.Host = str(ref, "name")
	port, _ := number(ref, "port")
	d.Port = int(port)
	if kind := str(ref, "kind"); str(ref, "group") != "" || kind != "" && kind != "Service" {
		return
	}
	d.Service, d.Namespace = strings.ToLower(d.Host), objectNamespace
	if ns := str(ref, "namespace"); ns != "" {
		d.Namespace = ns
	}
	d.FQDN = d.Service + "." + d.Namespace + ".svc." + mesh.domain()
}

// serviceOf splits service.namespace.svc.DOMAIN; empty strings for any other host.
func serviceOf(fqdn, domain string) (service, ns string) {
	head, ok := strings.CutSuffix(fqdn, ".svc."+domain)
	if !ok {
		return "", ""
	}
	service, ns, ok = strings.Cut(head, ".")
	if !ok || strings.Contains(ns, ".") || service == "" || ns == "" {
		return "", ""
	}
	return service, ns
}

func (d *Destination) readWeight(item map[string]any, r rule) {
	v := item["weight"]
	if v == nil { // an explicit null is no weight either: the API server prunes it, and add replaces it
		d.Effective = r.absent
		return
	}
	d.Stored.Set = true
	w, ok := integer(v)
	switch {
	case !ok:
		d.bad = "is no integer"
	case w < 0:
		d.bad = "is negative"
	case w > r.max:
		d.bad = "is too large"
	default:
		d.Effective = w
	}
	d.Stored.Value = w
}

// record spells a destination by the object alone, so that the history reads the same whoever may read Services.
func (d *Destination) record(objectNamespace string) string {
	s := d.Host
	switch {
	case d.Service != "" && d.Namespace == objectNamespace:
		s = d.Service
	case d.Service != "":
		s = d.Service + "." + d.Namespace
	case d.FQDN == "": // a backend of another kind
		s = str(d.Raw, "kind") + "." + str(d.Raw, "group") + "/" + d.Host
	}
	return Name{Word: s, Subset: d.Subset, Port: d.Port, Index: -1}.String()
}
