package status

import (
	"github.com/mesh-split/mesh-split/plugin/fleet"
	"github.com/mesh-split/mesh-split/plugin/screen"
	"github.com/mesh-split/mesh-split/plugin/subject"
	"github.com/mesh-split/mesh-split/verify/report"
)

// write prints the four numbers as a row each, and the diagnosis.
func write(show *screen.Screen, p picture, found []finding) {
	rows := [][]string{append([]string{"", "weights"}, p.entry.Names()...)}
	row := func(name, text string, weights []int64) {
		cells := []string{report.Safe(name), report.Safe(text)}
		var all int64
		for _, w := range weights {
			all += w
		}
		for i := range p.entry.Destinations {
			cell := "–"
			if i < len(weights) && all > 0 {
				cell = report.Percent(float64(weights[i])/float64(all), 2)
			}
			cells = append(cells, cell)
		}
		rows = append(rows, cells)
	}
	if p.declared == nil {
		row("declared", "–", nil)
	} else {
		row("declared", fleet.Weights(p.declared), p.declared)
	}
	row("object", fleet.Weights(p.entry.Weights()), p.entry.Weights())
	for _, s := range p.view.Sights {
		row(s.Pod.String(), fleet.State(s), s.Weights)
	}
	observed := make([]int64, len(p.observed))
	for i, n := range p.observed {
		observed[i] = int64(n)
	}
	row("observed", report.Count(sum(p.observed))+" requests", observed)
	show.Line("")
	report.WriteColumns(show.Out(), rows)
	for _, f := range found {
		show.Line("%s", report.Safe(f.Says))
		if f.Advice != "" {
			show.Say("next", "%s", report.Safe(f.Advice))
		}
	}
}

// Kind is the kind of the document of a status; its apiVersion is that of every document.
const Kind = "RouteStatus"

// Document is what -o json prints. Fields are only ever added.
type Document struct {
	APIVersion   string           `json:"apiVersion"`
	Kind         string           `json:"kind"`
	Context      string           `json:"context"`
	Namespace    string           `json:"namespace"`
	Name         string           `json:"name"`
	Route        string           `json:"route"`
	Destinations []string         `json:"destinations"`
	Declared     []int64          `json:"declared,omitempty"` // weights, by destination; absent when not known
	Object       []int64          `json:"object"`
	Gateways     []report.Gateway `json:"gateways"`
	Observed     []uint64         `json:"observed,omitempty"` // requests of users, by destination
	Errors       []uint64         `json:"errors,omitempty"`   // of those
	Diagnosis    []finding        `json:"diagnosis"`
}

func document(s *subject.Subject, p picture, found []finding) Document {
	d := Document{APIVersion: report.APIVersion, Kind: Kind, Context: s.Client.Context, Namespace: s.Object.GetNamespace(), Name: s.Object.GetName(),
		Route: s.Entry.Label(), Destinations: p.entry.Names(), Declared: p.declared, Object: p.entry.Weights(), Gateways: p.view.Gateways(),
		Observed: p.observed, Errors: p.errors, Diagnosis: found}
	if d.Gateways == nil {
		d.Gateways = []report.Gateway{}
	}
	return d
}
