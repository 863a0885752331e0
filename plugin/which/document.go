package which

import (
	"errors"

	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/report"
)

// Kind is the kind of the document of a decision; its apiVersion is that of every document.
const Kind = "RouteDecision"

// Document is what -o json prints. Fields are only ever added.
type Document struct {
	APIVersion  string        `json:"apiVersion"`
	Kind        string        `json:"kind"`
	Context     string        `json:"context"`
	Request     string        `json:"request"`
	Gateway     string        `json:"gateway,omitempty"`     // namespace/name
	Port        int           `json:"port,omitempty"`        // number of the Gateway's server
	RouteConfig string        `json:"routeConfig,omitempty"` // in Envoy
	VirtualHost string        `json:"virtualHost,omitempty"` // in Envoy
	Governs     string        `json:"governs,omitempty"`     // the entry; absent with an error
	Steps       []Step        `json:"steps"`                 // routes in Envoy's order
	Warnings    []Named       `json:"warnings,omitempty"`
	Error       *Named        `json:"error,omitempty"`
	Splits      []Destination `json:"destinations,omitempty"`
}

// Step is one route that was looked at.
type Step struct {
	Route string `json:"route"`
	Fits  string `json:"fits"` // yes, no or unknown
	Why   string `json:"why,omitempty"`
}

// Named is a warning or an error with its stable name.
type Named struct {
	Name    string `json:"name,omitempty"`
	Message string `json:"message"`
}

// Destination is one destination of the governing entry.
type Destination struct {
	Name   string `json:"name"`
	Weight int64  `json:"weight"` // as Istio reads it
}

func document(context string, d *route.Decision, err error) Document {
	doc := Document{APIVersion: report.APIVersion, Kind: Kind, Context: context, Request: d.Probe.String(),
		Gateway: d.Gateway, Port: d.Server, RouteConfig: d.RouteConfig, VirtualHost: d.VirtualHost, Steps: []Step{}}
	for _, s := range d.Steps {
		doc.Steps = append(doc.Steps, Step(s))
	}
	for _, w := range d.Warnings {
		doc.Warnings = append(doc.Warnings, Named{w.Name, w.Text})
	}
	if err != nil {
		doc.Error = &Named{Message: err.Error()}
		var f *fault.Error
		if errors.As(err, &f) {
			doc.Error.Name = f.Name
		}
		return doc
	}
	doc.Governs = d.Entry.String()
	for _, dest := range d.Entry.Destinations {
		doc.Splits = append(doc.Splits, Destination{dest.Short, dest.Effective})
	}
	return doc
}
