package verify

import (
	"context"
	"errors"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/mesh-split/mesh-split/plugin/complete"
	"github.com/mesh-split/mesh-split/plugin/measure"
	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/plugin/screen"
	"github.com/mesh-split/mesh-split/verify/cli"
	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/report"
)

// Options are what a person asks for.
type Options struct {
	Streams   genericiooptions.IOStreams
	Client    *mesh.Client
	Abort     <-chan struct{} // closed: give up the drain
	Name      string
	Routes    []string // --route
	Expect    []string // DEST=PERCENT, raw; empty: the object's weights
	AllRoutes bool     // --all-routes
	Passive   bool     // count users' own requests instead of sending any
	Output    string   // "" or json
	Measure   measure.Flags

	Overrides []string // --override-owner, for --identify inject

	terms []route.Term
	left  error // why an injected header is still there
}

// NewCmdVerify makes the command. A nil run is Options.Run.
func NewCmdVerify(f mesh.Factory, s genericiooptions.IOStreams, run func(context.Context, *Options) error) *cobra.Command {
	o := &Options{Streams: s}
	if run == nil {
		run = func(ctx context.Context, o *Options) error { return o.Run(ctx) }
	}
	c := &cobra.Command{
		Use:   "verify NAME",
		Short: "Measure the live split against the object's weights; changes nothing",
		Long: `Look into every ingress gateway, send a bounded load through them, and judge whether every destination gets the share
that the object's weights say, and whether one fails. Nothing is changed, unless --identify inject asks for it. The
request follows from what the entry matches, where --path, -H, -X and --host say nothing else, and is sent only if that entry
governs it.

--route given several times, or --all-routes, measures several entries of the object one after the other, each by requests of its
own: each gets a verdict, and the worst of them is that of the run. --confidence is that of all of them together, so that each needs
more requests than it would alone.

Exit codes: 0 PASS, 1 error, 2 usage, 3 FAIL, 4 INCONCLUSIVE, 5 refused: another route governs the request, the gateway aborts some of
them, or with --identify inject somebody else owns the object or sets the header; 6 an injected header could not be removed,
130 interrupted.`,
		Example: `  kubectl mesh-split verify demoapp

  # nothing sent: do users get the split?
  kubectl mesh-split verify demoapp --passive

  # the canary that only users with a header see
  kubectl mesh-split verify shop -H 'x-canary: yes'

  # every route of the object
  kubectl mesh-split verify shop --all-routes

  # against other shares than the object's
  kubectl mesh-split verify demoapp --expect stage=50`,
		Args:              cli.Args(cobra.ExactArgs(1)),
		ValidArgsFunction: complete.Name(f),
		RunE: func(c *cobra.Command, args []string) error {
			ctx, abort, release := cli.Interruptible(c.Context())
			defer release()
			o.Abort = abort
			if err := o.refuseFlags(c.Flags().Changed); err != nil {
				return err
			}
			if err := o.Complete(f, args); err != nil {
				return err
			}
			return run(ctx, o)
		},
	}
	cli.UsageErrors(c)
	c.Flags().StringArrayVar(&o.Routes, "route", nil, "the entry: its name or index; repeat it to measure several, one after the other (default: the only one that splits traffic)")
	c.Flags().BoolVar(&o.AllRoutes, "all-routes", false, "measure every entry that splits traffic, and has all of the destinations of --expect")
	c.Flags().StringSliceVar(&o.Expect, "expect", nil, "DEST=PERCENT to measure against, instead of the object's weights; several by commas")
	c.Flags().BoolVar(&o.Passive, "passive", false, "send nothing: count users' own requests in the gateways, for at most --max-time")
	c.Flags().StringVarP(&o.Output, "output", "o", "", "json: one VerificationReport document on stdout, everything else on stderr")
	c.Flags().StringSliceVar(&o.Overrides, "override-owner", nil, "with --identify inject: write although this program owns the object, such as argocd or flagger")
	o.Measure.In = s.In
	o.Measure.AddFlags(c.Flags())
	o.Measure.AddWatchFlags(c.Flags())
	return c
}

// Complete reads arguments and kubeconfig.
func (o *Options) Complete(f mesh.Factory, args []string) (err error) {
	o.Name = args[0]
	if err := o.Validate(); err != nil {
		return err
	}
	o.Client, err = f.Client()
	return err
}

// Validate reports every wrong argument and flag at once, without I/O but for the files that flags name.
func (o *Options) Validate() (err error) {
	if _, _, nameErr := mesh.ParseName(o.Name); nameErr != nil {
		err = errors.Join(err, nameErr)
	}
	err = errors.Join(err, cli.CheckOutput(o.Output, "json"))
	terms, termErr := route.ParseTerms(o.Expect)
	o.terms = terms
	if o.AllRoutes && len(o.Routes) > 0 {
		err = errors.Join(err, fault.Usagef("leave out one of them", "--route and --all-routes both say which routes"))
	}
	return errors.Join(err, termErr, o.Measure.Validate())
}

// Run measures.
func (o *Options) Run(ctx context.Context) error {
	show := screen.New(o.Streams.Out, o.Streams.ErrOut, o.Output == "json")
	measured := o.measure
	if o.Passive {
		measured = o.runPassive
	}
	trials, err := measured(ctx, show)
	r := whole(trials)
	if o.left != nil && r == nil {
		return errors.Join(o.left, err)
	}
	if ctx.Err() != nil && r == nil {
		show.Line("interrupted: nothing was measured")
		return fault.Verdict{Exit: fault.Interrupted}
	}
	if r == nil {
		return err
	}
	switch {
	case o.Output == "json":
		if err := report.WriteJSON(o.Streams.Out, r); err != nil {
			return err
		}
	case len(trials) == 1: // of several each was said when it was there
		if !o.Passive { // its table ends with one
			show.Line("")
		}
		report.WriteText(show.Out(), r)
		trials[0].explain(ctx, show)
	}
	if o.left != nil || err != nil {
		return errors.Join(o.left, err)
	}
	if code := o.Measure.Exit(r); code != fault.Done {
		return fault.Verdict{Exit: code}
	}
	return nil
}
