package verify

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/mesh-split/mesh-split/plugin/complete"
	"github.com/mesh-split/mesh-split/plugin/fleet"
	"github.com/mesh-split/mesh-split/plugin/measure"
	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/plugin/screen"
	"github.com/mesh-split/mesh-split/plugin/subject"
	core "github.com/mesh-split/mesh-split/verify"
	"github.com/mesh-split/mesh-split/verify/cli"
	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/report"
	"github.com/mesh-split/mesh-split/verify/verdict"
)

// Options are what a person asks for.
type Options struct {
	Streams genericiooptions.IOStreams
	Client  *mesh.Client
	Abort   <-chan struct{} // closed: give up the drain
	Name    string
	Route   string
	Expect  []string // DEST=PERCENT, raw; empty: the object's weights
	Passive bool     // count users' own requests instead of sending any
	Output  string   // "" or json
	Measure measure.Flags

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

Exit codes: 0 PASS, 1 error, 2 usage, 3 FAIL, 4 INCONCLUSIVE, 5 another route governs the request, 130 interrupted.`,
		Example: `  kubectl mesh-split verify demoapp

  # nothing sent: do users get the split?
  kubectl mesh-split verify demoapp --passive

  # the canary that only users with a header see
  kubectl mesh-split verify shop -H 'x-canary: yes'

  # against other shares than the object's
  kubectl mesh-split verify demoapp --expect stage=50`,
		Args:              cli.Args(cobra.ExactArgs(1)),
		ValidArgsFunction: complete.Name(f),
		RunE: func(c *cobra.Command, args []string) error {
			ctx, abort, release := cli.Interruptible(c.Context())
			defer release()
			o.Abort = abort
			if o.Passive {
				if err := o.refuseFlags(c.Flags().Changed); err != nil {
					return err
				}
			}
			if err := o.Complete(f, args); err != nil {
				return err
			}
			return run(ctx, o)
		},
	}
	cli.UsageErrors(c)
	c.Flags().StringVar(&o.Route, "route", "", "the http entry: its name or index (default: the only one that splits traffic)")
	c.Flags().StringSliceVar(&o.Expect, "expect", nil, "DEST=PERCENT to measure against, instead of the object's weights; several by commas")
	c.Flags().BoolVar(&o.Passive, "passive", false, "send nothing: count users' own requests in the gateways, for at most --max-time")
	c.Flags().StringVarP(&o.Output, "output", "o", "", "json: one VerificationReport document on stdout, everything else on stderr")
	c.Flags().StringSliceVar(&o.Overrides, "override-owner", nil, "with --identify inject: write although this program owns the object, such as argocd or flagger")
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
	return errors.Join(err, termErr, o.Measure.Validate())
}

// Run measures.
func (o *Options) Run(ctx context.Context) error {
	show := screen.New(o.Streams.Out, o.Streams.ErrOut, o.Output == "json")
	measured := o.measure
	if o.Passive {
		measured = o.runPassive
	}
	r, view, s, err := measured(ctx, show)
	if o.left != nil && r == nil {
		return errors.Join(o.left, err)
	}
	if ctx.Err() != nil && r == nil {
		show.Line("interrupted: nothing was measured")
		return fault.Verdict{Exit: fault.Interrupted}
	}
	if err != nil {
		return err
	}
	if o.Output == "json" {
		if err := report.WriteJSON(o.Streams.Out, r); err != nil {
			return err
		}
	} else {
		if !o.Passive { // its table ends with one
			show.Line("")
		}
		report.WriteText(show.Out(), r)
		explain(show, s, view, r)
	}
	if o.left != nil {
		return o.left
	}
	if code := o.Measure.Exit(r); code != fault.Done {
		return fault.Verdict{Exit: code}
	}
	return nil
}

// measure looks into the gateways, sends the load and gives the report.
func (o *Options) measure(ctx context.Context, show *screen.Screen) (*core.Report, fleet.View, *subject.Subject, error) {
	s, err := subject.Load(ctx, o.Client, o.Name, o.Route)
	if err != nil {
		err = measure.Choose(ctx, s, &o.Measure, err)
	}
	if err != nil {
		return nil, fleet.View{}, nil, err
	}
	target, err := o.target(s)
	if err != nil {
		return nil, fleet.View{}, nil, err
	}
	if err := s.FindGateways(ctx); err != nil {
		return nil, fleet.View{}, nil, err
	}
	show.Title(s.Title()...)
	for _, resource := range s.Unread {
		show.Warn("no right to list %s: version labels from there are not understood", resource)
	}
	site, err := measure.Open(ctx, s, &o.Measure, show)
	if err != nil {
		return nil, fleet.View{}, nil, err
	}
	defer site.Close()
	show.Line("")
	gateways := fleet.Open(ctx, s)
	defer gateways.Close()
	view := gateways.Look(ctx, s.Entry)
	switch unseen := view.Refusal(); {
	case view.Live():
		show.Done("live", "%s", view)
	case unseen != nil && s.Entry.OfConnections():
		show.Warn("W_UNCHECKED: %s", report.Safe(unseen.Error()))
	default:
		show.Broken("live", "%s", view)
		view.WriteTable(show.Out())
	}
	if site.Injects() {
		i := measure.Injector{Subject: s, Ways: gateways, Screen: show, Manager: route.FieldManager, By: o.Client.WhoAmI(ctx), At: time.Now(), Abort: o.Abort}
		if err := o.inject(ctx, i, site); err != nil {
			return nil, view, s, err
		}
		defer func() { o.left = i.End(ctx, nil) }()
	}
	config, err := site.Config(target)
	if err != nil {
		return nil, view, s, err
	}
	config.Abort = o.Abort
	progress := cli.NewView(o.Streams.ErrOut)
	config.Progress, config.Announce = progress.Progress, progress.Warn
	r, err := core.Run(ctx, config)
	progress.Close()
	if err != nil {
		return nil, view, s, err
	}
	if o.Output == "" {
		progress.Unsaid(r)
	}
	site.Admit(r, target, s)
	r.Gateways = view.Gateways()
	if !view.Live() && !s.Entry.OfConnections() && r.Verdict == verdict.Pass.String() { // else explain says it, as the cause
		r.Warnings = append(r.Warnings, "not every gateway holds the weights: "+view.Cause())
	}
	show.Done("measured", "%s", report.Measured(r))
	return r, view, s, nil
}

// target is the entry as it is measured against: the object's, or with the shares of --expect.
func (o *Options) target(s *subject.Subject) (route.Entry, error) {
	if len(o.terms) == 0 {
		return s.Entry, nil
	}
	plan, err := route.PlanSet([]route.Entry{s.Entry}, o.terms, route.Options{})
	if err != nil {
		return route.Entry{}, err
	}
	return plan.Changes[0].After(), nil
}

// explain names the gateways that are behind a verdict other than PASS, and what to do about them.
func explain(show *screen.Screen, s *subject.Subject, view fleet.View, r *core.Report) {
	if !view.Behind() || r.Verdict == verdict.Pass.String() {
		return
	}
	show.Say("cause", "%s", view.Cause())
	show.Say("next", "%s", s.RouteCommand("wait", "--for=live"))
}
