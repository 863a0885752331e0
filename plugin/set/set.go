package set

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/mesh-split/mesh-split/plugin/change"
	"github.com/mesh-split/mesh-split/plugin/complete"
	"github.com/mesh-split/mesh-split/plugin/measure"
	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/plugin/subject"
	"github.com/mesh-split/mesh-split/verify/cli"
	"github.com/mesh-split/mesh-split/verify/fault"
)

// settle is how long the load runs before it counts, after a change: connections open, and replies drawn by the old weights
// come home.
const settle = time.Second

// Options are what a person asks for.
type Options struct {
	change.Options
	Terms  []string // DEST=PERCENT, raw
	Sum    int64    // --sum; 0 keeps the sum
	Spread bool

	measure measure.Flags
	terms   []route.Term
}

// NewCmdSet makes the command. A nil run is Options.Run.
func NewCmdSet(f mesh.Factory, s genericiooptions.IOStreams, run func(context.Context, *Options) error) *cobra.Command {
	o := &Options{}
	o.Streams, o.Verb = s, "set"
	if run == nil {
		run = func(ctx context.Context, o *Options) error { return o.Run(ctx) }
	}
	c := &cobra.Command{
		Use:   "set NAME DEST=PERCENT... [--verify]",
		Short: "Change weights, wait until every gateway has them, and measure",
		Long: `Change the weights of one entry of a VirtualService, and of nothing else, then wait until every ingress gateway's Envoy
holds them. With --verify a bounded load is sent through the gateway and judged: PASS, FAIL or INCONCLUSIVE. Routes of the
Gateway API are named httproute/NAME and grpcroute/NAME, here and in every command.

DEST is what tells a destination apart: a subset, Service, service.namespace, namespace, host, version label or @INDEX.
PERCENT has at most 4 decimals; the word rest takes what the others leave. Destinations that are not named keep their
share, or give what is missing where only one can.

--route given several times, or --all-routes, changes several entries of the object in one edit: all of them or none. With
--verify one after the other is measured, and the worst verdict is that of the change; --confidence is that of all of them together.
undo takes all of them back.

Nothing is taken back by itself: the command that does is printed. --revert-on fail,inconclusive does it for you.

Exit codes: 0 done and PASS, 1 error, 2 usage, 3 FAIL, 4 INCONCLUSIVE or not live in time, 5 refused, 6 a revert failed or an
injected header stays, 130 interrupted.`,
		Example: `  # 30 % to the destination in namespace stage, the rest stays where it is
  kubectl mesh-split set demoapp stage=30

  # the same, measured, and taken back if it does not hold
  kubectl mesh-split set demoapp stage=30 --verify --revert-on fail,inconclusive

  # the canary that only users with a header see: the request chooses the route
  kubectl mesh-split set shop v2=100 -H 'x-canary: yes' --verify

  # the request as its users write it chooses the route, also where another VirtualService holds it
  kubectl mesh-split set shop v2=30 --url https://shop.example.com/api

  # in two routes at once
  kubectl mesh-split set demoapp stage=30 --route api --route pages

  # what would be sent?
  kubectl mesh-split set demoapp stage=30 --dry-run=client`,
		Args:              cli.Args(cobra.MinimumNArgs(2)),
		ValidArgsFunction: complete.NameThenDestinations(f),
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
	c.Flags().StringArrayVar(&o.Routes, "route", nil, "the entry to change: its name or index; repeat it to change several at once (default: the only one that splits traffic)")
	c.Flags().BoolVar(&o.AllRoutes, "all-routes", false, "change every entry that splits traffic and has all of the destinations")
	c.Flags().BoolVar(&o.Verify, "verify", false, "send a bounded load and judge the split and the errors")
	c.Flags().StringSliceVar(&o.RevertOn, "revert-on", nil, "take the change back on fail, inconclusive, interrupted (default: never)")
	c.Flags().Int64Var(&o.Sum, "sum", 0, "new sum of the weights, 2 to 1000000 (default: keep it)")
	c.Flags().BoolVar(&o.Spread, "spread", false, "share what is left among the destinations not named, in proportion")
	o.measure.Settle, o.measure.In = settle, s.In
	o.measure.AddFlags(c.Flags())
	return c
}

// Complete reads arguments and kubeconfig. Wrong usage is said before any file is read.
func (o *Options) Complete(f mesh.Factory, args []string) (err error) {
	o.Name, o.Terms, o.Measure = args[0], args[1:], &o.measure
	if err := o.Validate(); err != nil {
		return err
	}
	o.Plan, o.PlanChooses = o.plan, o.AllRoutes
	o.Client, err = f.Client()
	return err
}

// Validate reports every wrong argument and flag at once, without I/O.
func (o *Options) Validate() (err error) {
	if _, _, nameErr := mesh.ParseName(o.Name); nameErr != nil {
		err = errors.Join(err, nameErr)
	}
	terms, termErr := route.ParseTerms(o.Terms)
	o.terms = terms
	if o.AllRoutes && len(o.Routes) > 0 {
		err = errors.Join(err, fault.Usagef("leave out one of them", "--route and --all-routes both say which routes"))
	}
	return errors.Join(err, termErr, o.Options.Validate())
}

func (o *Options) plan(s *subject.Subject, r route.Options) (*route.Plan, error) {
	if o.Sum != 0 {
		r.Sum = &o.Sum
	}
	r.Spread = o.Spread
	return s.PlanSet(o.AllRoutes, o.terms, r)
}

// Run changes the weights.
func (o *Options) Run(ctx context.Context) error { return change.Run(ctx, &o.Options) }
