package undo

import (
	"context"
	"errors"

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
	removed, err := o.removeInjected(ctx, show)
	if o.Injected || err != nil {
		return err
	}
	err = change.Run(ctx, &o.Options)
	var f *fault.Error
	if removed && errors.As(err, &f) && f.Name == "E_NOTHING_TO_UNDO" {
		return nil
	}
	return err
}

// removeInjected removes the header that a run which was killed left in the object. What stands against it does not keep the
// weights from being taken back, unless it alone was asked for.
func (o *Options) removeInjected(ctx context.Context, show *screen.Screen) (removed bool, err error) {
	kind, name, err := mesh.ParseName(o.Name)
	if err != nil {
		return false, err
	}
	s := &subject.Subject{Client: o.Client} // its names are of no interest here
	if s.Object, err = o.Client.Get(ctx, kind, name); err != nil {
		return false, err
	}
	if len(route.HistoryOf(s.Object.Object).Injections) == 0 {
		if o.Injected {
			show.Line("nothing was left behind: no note of an injected header")
		}
		return false, nil
	}
	if o.DryRun == "client" || o.DryRun == "server" {
		show.Line("dry run: the response header %s, which a run left behind, would be removed", route.InjectedHeader)
		return false, nil
	}
	removed, err = measure.Remove(ctx, s, "", o.Manager, o.Abort)
	switch {
	case err != nil && !o.Injected:
		show.Warn("the injected response header %s stays: %s", route.InjectedHeader, report.Safe(err.Error()))
		return false, nil
	case removed:
		show.Done("removed", "response header %s, which a run left behind", route.InjectedHeader)
	}
	return removed, err
}
