package history

import (
	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/verify/report"
)

// Kind is the kind of the document of a history; its apiVersion is that of every document.
const Kind = "RouteHistory"

// Document is what -o json prints. Fields are only ever added.
type Document struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Context    string   `json:"context"`
	Object     Object   `json:"object"`
	Changes    []Change `json:"changes"`            // oldest first
	Warnings   []string `json:"warnings,omitempty"` // what could not be read of the annotation
}

// Object names a Kubernetes object.
type Object struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace"`
	Name       string `json:"name"`
}

// Change is one recorded change of one route.
type Change struct {
	Revision     int64    `json:"revision"`
	At           string   `json:"at,omitempty"` // RFC 3339
	By           string   `json:"by,omitempty"` // as the API server knew them: a note, not evidence
	Operation    string   `json:"operation,omitempty"`
	Route        string   `json:"route,omitempty"`
	Destinations []string `json:"destinations,omitempty"`
	From         []*int64 `json:"from,omitempty"` // stored weights before; null where the key was absent
	To           []*int64 `json:"to,omitempty"`   // and after
	Verdict      string   `json:"verdict,omitempty"`
	Undoes       int64    `json:"undoes,omitempty"`       // of an undo: the first change that it took back
	Undone       bool     `json:"undone,omitempty"`       // a later undo took it back
	Understood   bool     `json:"understood"`             // false: another program or a later release wrote it
	SameChangeAs int64    `json:"sameChangeAs,omitempty"` // one edit changed several routes: revision of the first of them
}

func document(context string, o mesh.Object, h route.History) Document {
	d := Document{APIVersion: report.APIVersion, Kind: Kind, Context: context,
		Object:  Object{o.GetAPIVersion(), o.GetKind(), o.GetNamespace(), o.GetName()},
		Changes: []Change{}, Warnings: h.Warnings}
	for _, c := range changes(h) {
		d.Changes = append(d.Changes, Change{Revision: c.ID, At: c.At, By: c.By, Operation: c.Op, Route: c.Route,
			Destinations: c.Dests, From: c.From, To: c.To, Verdict: c.Verdict, Undoes: c.Undoes, Undone: c.undone, Understood: !c.Foreign(), SameChangeAs: c.With})
	}
	return d
}
