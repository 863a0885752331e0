package undo

import (
	"context"
	"errors"
	"strings"

	"github.com/mesh-split/mesh-split/plugin/change"
	"github.com/mesh-split/mesh-split/plugin/measure"
	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/plugin/screen"
	"github.com/mesh-split/mesh-split/plugin/subject"
	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/report"
)

// Run takes the change back, and before it what an injection left behind.
func (o *Options) Run(ctx context.Context) error {
	show := screen.New(o.Streams.Out, o.Streams.ErrOut, o.Output == "json")
	doc, err := o.removeInjected(ctx, show)
	if err != nil {
		return err
	}
	if o.Removed = doc.Removed; !o.Injected {
		err = change.Run(ctx, &o.Options)
		var f *fault.Error
		if o.Removed == "" || !errors.As(err, &f) || f.Name != "E_NOTHING_TO_UNDO" {
			return err
		}
	}
	if o.Output == "json" {
		return report.WriteJSON(o.Streams.Out, doc)
	}
	return nil
}

// removeInjected removes the header that a run which was killed left in the object. What stands against it does not keep the
// weights from being taken back, unless it alone was asked for.
func (o *Options) removeInjected(ctx context.Context, show *screen.Screen) (doc change.Document, err error) {
	kind, name, err := mesh.ParseName(o.Name)
	if err != nil {
		return doc, err
	}
	s := &subject.Subject{Client: o.Client} // its names are of no interest here
	if s.Object, err = o.Client.Get(ctx, kind, name); err != nil {
		return doc, err
	}
	doc = o.document(s.Object)
	if doc.Route == "" {
		if o.Injected {
			show.Line("nothing was left behind: no note of an injected header")
		}
		return doc, nil
	}
	before, removed := s.Object.GetResourceVersion(), false
	if doc.DryRun != "" {
		plan, planErr := route.PlanRemoval(s.Object.Object, "")
		if err = planErr; err == nil {
			doc.Patch, doc.Removed = plan.Ops, route.InjectedHeader
			show.Line("dry run: the response header %s, which a run left behind, would be removed", route.InjectedHeader)
		}
	} else if removed, err = measure.Remove(ctx, s, "", o.Manager, o.Abort); removed {
		doc.ResourceVersion, doc.Removed = &change.Versions{From: before, To: s.Object.GetResourceVersion()}, route.InjectedHeader
		show.Done("removed", "response header %s, which a run left behind", route.InjectedHeader)
	}
	if err != nil && !o.Injected {
		show.Warn("the injected response header %s stays: %s", route.InjectedHeader, report.Safe(err.Error()))
		err = nil
	}
	return doc, err
}

// document begins the document of a removal: its routes are those that notes are about, and none of their weights changes.
func (o *Options) document(object mesh.Object) change.Document {
	doc, notes := o.Document(object), route.HistoryOf(object.Object)
	var labels []string
	for _, note := range notes.Injections {
		labels = append(labels, note.Route)
	}
	doc.Route = strings.Join(labels, ", ")
	entries, _ := route.Entries(object.Object, nil) // whoever plans says what is wrong
	for _, e := range entries {
		if notes.Injected(e) == nil {
			continue
		}
		for _, d := range change.Unchanged(e) {
			if len(labels) > 1 {
				d.Route = e.Slot()
			}
			doc.Destinations = append(doc.Destinations, d)
		}
	}
	return doc
}
