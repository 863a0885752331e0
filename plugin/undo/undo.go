package undo

import (
	"context"
	"errors"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/mesh-split/mesh-split/plugin/change"
	"github.com/mesh-split/mesh-split/plugin/complete"
	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/plugin/subject"
	"github.com/mesh-split/mesh-split/verify/cli"
	"github.com/mesh-split/mesh-split/verify/fault"
)

// Options are what a person asks for.
type Options struct {
	change.Options
	ToRevision int64 // 0: take back the last change
	Injected   bool  // take back only what --identify inject left behind
}

// NewCmdUndo makes the command. A nil run is Options.Run.
func NewCmdUndo(f mesh.Factory, s genericiooptions.IOStreams, run func(context.Context, *Options) error) *cobra.Command {
	o := &Options{}
	o.Streams, o.Verb = s, "undo"
	if run == nil {
		run = func(ctx context.Context, o *Options) error { return o.Run(ctx) }
	}
	c := &cobra.Command{
		Use:   "undo NAME",
		Short: "Take back the last recorded change",
		Long: `Write the weights from before the last change that mesh-split recorded on the object, and wait until every gateway has
them. The weights must still be as that change left them: another writer's work is never undone. A change of several routes
is taken back in all of them, or in none. A response header that a run with --identify inject left behind, because it was killed,
is removed as well.`,
		Example: `  kubectl mesh-split undo demoapp

  # what change number 3 had set
  kubectl mesh-split undo demoapp --to-revision 3`,
		Args:              cli.Args(cobra.ExactArgs(1)),
		ValidArgsFunction: complete.Name(f),
		RunE: func(c *cobra.Command, args []string) error {
			ctx, abort, release := cli.Interruptible(c.Context())
			defer release()
			o.Abort = abort
			if err := o.Complete(f, args); err != nil {
				return err
			}
			return run(ctx, o)
		},
	}
	cli.UsageErrors(c)
	o.AddFlags(c.Flags())
	c.Flags().StringArrayVar(&o.Routes, "route", nil, "take back the last change of this entry: its name or index (default: of any)")
	c.Flags().Int64Var(&o.ToRevision, "to-revision", 0, "restore what this change set (default: take back the last one)")
	c.Flags().BoolVar(&o.Injected, "injected", false, "remove only the response header that a run with --identify inject left behind")
	return c
}

// Complete reads arguments and kubeconfig.
func (o *Options) Complete(f mesh.Factory, args []string) (err error) {
	o.Name = args[0]
	if err := o.Validate(); err != nil {
		return err
	}
	o.Plan, o.PlanChooses = o.plan, len(o.Routes) == 0
	o.Client, err = f.Client()
	return err
}

// Validate reports every wrong argument and flag at once, without I/O.
func (o *Options) Validate() (err error) {
	if _, _, nameErr := mesh.ParseName(o.Name); nameErr != nil {
		err = errors.Join(err, nameErr)
	}
	if o.ToRevision < 0 {
		err = errors.Join(err, fault.Usagef("revisions count from 1; leave it out to take back the last change", "--to-revision %d is negative", o.ToRevision))
	}
	if o.Injected && o.ToRevision > 0 {
		err = errors.Join(err, fault.Usagef("leave out one of them", "--injected changes no weights, so --to-revision has no meaning"))
	}
	if o.ToRevision > 0 && len(o.Routes) > 0 {
		err = errors.Join(err, fault.Usagef("leave out one of them", "--route and --to-revision both say which change"))
	}
	return errors.Join(err, o.Options.Validate())
}

func (o *Options) plan(s *subject.Subject, r route.Options) (*route.Plan, error) {
	if len(o.Routes) > 0 {
		for _, e := range s.Entries() {
			r.Only = append(r.Only, e.Slot())
		}
	}
	plan, err := route.PlanUndo(s.Object.Object, s.Mesh, o.ToRevision, r)
	if err == nil && len(plan.Changes) > 0 {
		var entries []route.Entry
		for _, change := range plan.Changes {
			entries = append(entries, change.Entry)
		}
		s.TakeNamed(entries)
	}
	return plan, err
}
