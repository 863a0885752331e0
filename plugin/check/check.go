package check

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/mesh-split/mesh-split/plugin/complete"
	"github.com/mesh-split/mesh-split/plugin/fleet"
	"github.com/mesh-split/mesh-split/plugin/guard"
	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/plugin/screen"
	"github.com/mesh-split/mesh-split/plugin/subject"
	"github.com/mesh-split/mesh-split/verify/cli"
	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/report"
)

// Options are what a person asks for.
type Options struct {
	Streams genericiooptions.IOStreams
	Client  *mesh.Client
	Now     func() time.Time // nil is time.Now
	Name    string           // "": only the cluster and the rights
	Terms   []string         // DEST=PERCENT, raw
	Routes  []string
	All     bool // --all-routes
	Guard   guard.Flags

	terms []route.Term
}

// NewCmdCheck makes the command. A nil run is Options.Run.
func NewCmdCheck(f mesh.Factory, s genericiooptions.IOStreams, run func(context.Context, *Options) error) *cobra.Command {
	o := &Options{Streams: s}
	if run == nil {
		run = func(ctx context.Context, o *Options) error { return o.Run(ctx) }
	}
	c := &cobra.Command{
		Use:   "check [NAME [DEST=PERCENT...]]",
		Short: "Check rights, gateways, owners, and what set would refuse; changes nothing",
		Long: `Say which versions the cluster serves and which rights you have; for an object also whether its gateways hold its weights
and who else owns it; for shares also whether set would refuse them. Nothing is written and no load is sent.

Exit codes: 0 nothing stands against it, 1 error, 2 usage, 5 set would refuse, 130 interrupted.`,
		Example: `  kubectl mesh-split check

  # who owns it, and what lets both live?
  kubectl mesh-split check demoapp

  # would this be refused?
  kubectl mesh-split check demoapp stage=30`,
		Args:              cli.Args(cobra.ArbitraryArgs),
		ValidArgsFunction: complete.NameThenDestinations(f),
		RunE: func(c *cobra.Command, args []string) error {
			ctx, _, release := cli.Interruptible(c.Context())
			defer release()
			if err := o.Complete(f, args); err != nil {
				return err
			}
			return run(ctx, o)
		},
	}
	cli.UsageErrors(c)
	c.Flags().StringArrayVar(&o.Routes, "route", nil, "the entry: its name or index; repeat it for several (default: the only one that splits traffic)")
	c.Flags().BoolVar(&o.All, "all-routes", false, "every entry that splits traffic and has all of the destinations")
	o.Guard.AddFlags(c.Flags())
	return c
}

// Complete reads arguments and kubeconfig.
func (o *Options) Complete(f mesh.Factory, args []string) (err error) {
	if len(args) > 0 {
		o.Name, o.Terms = args[0], args[1:]
	}
	if err := o.Validate(); err != nil {
		return err
	}
	o.Client, err = f.Client()
	return err
}

// Validate reports every wrong argument and flag at once, without I/O.
func (o *Options) Validate() (err error) {
	if o.Name != "" {
		if _, _, nameErr := mesh.ParseName(o.Name); nameErr != nil {
			err = errors.Join(err, nameErr)
		}
	}
	terms, termErr := route.ParseTerms(o.Terms)
	o.terms = terms
	if o.All && len(o.Routes) > 0 {
		err = errors.Join(err, fault.Usagef("leave out one of them", "--route and --all-routes both say which routes"))
	}
	return errors.Join(err, termErr, o.Guard.Validate())
}

// Run checks, the cluster first.
func (o *Options) Run(ctx context.Context) error {
	show := screen.New(o.Streams.Out, o.Streams.ErrOut, false)
	if o.Now == nil {
		o.Now = time.Now
	}
	if err := o.cluster(ctx, show); err != nil {
		return err
	}
	if o.Name == "" {
		o.rights(ctx, show, mesh.VirtualService, "")
		return nil
	}
	s, plan, err := o.plan(ctx)
	if err != nil {
		return err
	}
	o.Client = s.Client // that of the delegate's namespace, where a root was named
	gatewayErr := s.FindGateways(ctx)
	show.Title(s.Title()...)
	for _, left := range plan.LeftOut {
		show.Warn("--all-routes leaves out %s", report.Safe(left))
	}
	gateway := ""
	if s.Gateways != nil {
		gateway = s.Gateways.Pods[0].Namespace
	}
	o.rights(ctx, show, s.Object.Kind, gateway)
	o.gateways(ctx, show, s, gatewayErr)
	found, err := guard.Look(ctx, s, plan, o.Now())
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return fault.Verdict{Exit: fault.Interrupted}
	}
	return errors.Join(gatewayErr, o.verdict(show, found))
}

// plan reads the object and plans what set would.
func (o *Options) plan(ctx context.Context) (s *subject.Subject, plan *route.Plan, err error) {
	if o.All {
		s, err = subject.Read(ctx, o.Client, o.Name)
	} else {
		s, err = subject.Load(ctx, o.Client, o.Name, o.Routes...)
	}
	if err != nil {
		return nil, nil, err
	}
	plan, err = s.PlanSet(o.All, o.terms, route.Options{At: o.Now()})
	return s, plan, err
}

// cluster says what answers.
func (o *Options) cluster(ctx context.Context, show *screen.Screen) error {
	server, kinds, err := o.Client.Versions(ctx)
	if err != nil {
		return err
	}
	show.Done("cluster", "context %s, Kubernetes %s", report.Safe(o.Client.Context), report.Safe(server))
	for _, k := range mesh.Kinds() {
		if version := kinds[k.Name]; version != "" {
			show.Done("serves", "%s as %s", k.Name, version)
		} else {
			show.Broken("serves", "no %s", k.Name)
		}
	}
	return nil
}

// gateways says what every Envoy holds.
func (o *Options) gateways(ctx context.Context, show *screen.Screen, s *subject.Subject, err error) {
	if err != nil {
		show.Broken("gateways", "%s", report.Safe(err.Error()))
		return
	}
	ways := fleet.Open(ctx, s)
	defer ways.Close()
	view := ways.LookAll(ctx, s.Entries())
	if view.Live() {
		show.Done("gateways", "%s", view)
		return
	}
	cause, advice := fleet.Because(fleet.Unread(ctx, s, view...), view.Cause(), "")
	show.Broken("gateways", "%s: %s", view, report.Safe(cause))
	if advice != "" {
		show.Say("next", "%s", report.Safe(advice))
	}
}

// verdict says what set would say.
func (o *Options) verdict(show *screen.Screen, found *guard.Guard) error {
	for _, warning := range found.Warnings(o.Guard) {
		show.Warn("%s", report.Safe(warning))
	}
	refusal := found.Refusal(o.Guard)
	for _, advice := range found.Advice() {
		show.Snippet("so that both can live:", advice)
	}
	if refusal == nil {
		show.Done("checked", "%s", report.Safe(found.String()))
	} else {
		show.Broken("checked", "set would refuse")
	}
	return refusal
}
