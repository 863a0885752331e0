package change

import (
	"strings"

	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/verify/report"
)

// Kind is the kind of the document of a change; its apiVersion is that of every document.
const Kind = "WeightChange"

// Document is what -o json prints for a change. Fields are only ever added; durations are seconds, shares fractions.
type Document struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Context    string `json:"context"`
	Object     Object `json:"object"`
	Route      string `json:"route"`              // "http[0]", with the entry's name behind it where it has one; several are joined by ", "
	Operation  string `json:"operation"`          // set or undo
	Revision   int64  `json:"revision,omitempty"` // of the history; absent when nothing was written
	DryRun     string `json:"dryRun,omitempty"`   // client or server: nothing was written
	Changed    bool   `json:"changed"`            // weights were written, or would be
	Verdict    string `json:"verdict,omitempty"`  // of the verification, where there was one; of several routes the worst

	ResourceVersion *Versions     `json:"resourceVersion,omitempty"`
	Destinations    []Destination `json:"destinations"`    // of all routes
	Patch           []route.Op    `json:"patch,omitempty"` // of a dry run

	Live         *bool                `json:"live,omitempty"` // every gateway holds the weights of every route; absent when nobody looked
	Propagation  *report.Propagation  `json:"propagation,omitempty"`
	Gateways     []report.Gateway     `json:"gateways,omitempty"`     // with several routes in routes
	Verification *report.Verification `json:"verification,omitempty"` // with several routes in routes
	Routes       []Route              `json:"routes,omitempty"`       // each, where one change is about several routes
	LeftOut      []string             `json:"leftOut,omitempty"`      // routes that --all-routes did not take, and why
	Interrupted  bool                 `json:"interrupted,omitempty"`
	Reverted     bool                 `json:"reverted,omitempty"`    // taken back, and every gateway holds the old weights again
	Overwritten  string               `json:"overwritten,omitempty"` // who wrote over the weights while they were followed
	Undo         string               `json:"undo,omitempty"`        // the command that takes it back
	Removed      string               `json:"removed,omitempty"`     // the response header that a killed run had left, and that undo took away, or would
}

// Object names a Kubernetes object.
type Object struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace"`
	Name       string `json:"name"`
}

// Versions are resourceVersions.
type Versions struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Route is one of several routes of a change.
type Route struct {
	Route        string               `json:"route"` // as in a WeightChange
	Destinations []Destination        `json:"destinations"`
	Verdict      string               `json:"verdict,omitempty"` // absent when it was not measured
	Gateways     []report.Gateway     `json:"gateways,omitempty"`
	Verification *report.Verification `json:"verification,omitempty"`
}

// Destination is one destination before and after.
type Destination struct {
	Route  string  `json:"route,omitempty"` // "http[0]", where there are several routes
	Name   string  `json:"name"`            // shortest unique spelling
	Host   string  `json:"host"`            // in full
	Subset string  `json:"subset,omitempty"`
	Port   int     `json:"port,omitempty"`
	Weight Weights `json:"weight"`
	Share  *Shares `json:"share,omitempty"` // absent where the weights are no valid split
}

// Weights are effective weights.
type Weights struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// Shares are shares in [0, 1].
type Shares struct {
	From float64 `json:"from"`
	To   float64 `json:"to"`
}

// Document begins the document of a change of an object, in which no weight is written so far.
func (o *Options) Document(object mesh.Object) Document {
	d := Document{
		APIVersion: report.APIVersion, Kind: Kind, Context: o.Client.Context,
		Object:    Object{object.GetAPIVersion(), object.GetKind(), object.GetNamespace(), object.GetName()},
		Operation: o.Verb, Destinations: []Destination{}, Removed: o.Removed,
	}
	if o.dry() {
		d.DryRun = o.DryRun
	}
	return d
}

// document begins the document of a plan.
func (c *course) document() {
	c.doc = c.options.Document(c.subject.Object)
	c.doc.Changed, c.doc.LeftOut = !c.plan.Nothing(), c.plan.LeftOut
	if c.options.dry() {
		c.doc.Patch = c.plan.Ops
	}
	c.routes = nil
	for _, change := range c.plan.Changes {
		c.routes = append(c.routes, Route{Route: change.Entry.Label(), Destinations: destinations(change)})
	}
}

func destinations(change route.Change) []Destination {
	var list []Destination
	before, after := change.Entry.Shares(), change.Shares()
	weights := change.Weights()
	for i, x := range change.Entry.Destinations {
		one := Destination{Name: x.Short, Host: x.FQDN, Subset: x.Subset, Port: x.Port, Weight: Weights{x.Effective, weights[i]}}
		if one.Host == "" {
			one.Host = x.Host
		}
		if before != nil && after != nil {
			one.Share = &Shares{}
			one.Share.From, _ = before[i].Float64()
			one.Share.To, _ = after[i].Float64()
		}
		list = append(list, one)
	}
	return list
}

// Unchanged are the destinations of an entry whose weights stay.
func Unchanged(e route.Entry) []Destination {
	stored := make([]route.Weight, len(e.Destinations))
	for i, d := range e.Destinations {
		stored[i] = d.Stored
	}
	return destinations(route.Change{Entry: e, From: stored, To: stored})
}

// print writes the document, with -o json.
func (c *course) print() error {
	if c.options.Output != "json" {
		return nil
	}
	d := c.doc
	if len(c.routes) == 1 {
		only := c.routes[0]
		d.Route, d.Destinations, d.Gateways, d.Verification = only.Route, only.Destinations, only.Gateways, only.Verification
		return report.WriteJSON(c.options.Streams.Out, d)
	}
	d.Routes = c.routes
	var labels []string
	for i, one := range c.routes {
		labels = append(labels, one.Route)
		for _, destination := range one.Destinations {
			destination.Route = c.plan.Changes[i].Entry.Slot()
			d.Destinations = append(d.Destinations, destination)
		}
	}
	d.Route = strings.Join(labels, ", ")
	return report.WriteJSON(c.options.Streams.Out, d)
}
