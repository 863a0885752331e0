package wait

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/mesh-split/mesh-split/plugin/change"
	"github.com/mesh-split/mesh-split/plugin/complete"
	"github.com/mesh-split/mesh-split/plugin/fleet"
	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/plugin/screen"
	"github.com/mesh-split/mesh-split/plugin/subject"
	"github.com/mesh-split/mesh-split/verify/cli"
	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/report"
)

// readEvery is how often the object is read again: somebody may change it while we wait.
const readEvery = time.Second

// Options are what a person asks for.
type Options struct {
	Streams genericiooptions.IOStreams
	Client  *mesh.Client
	Name    string
	Routes  []string
	For     []string // live, or DEST=PERCENT terms, raw
	Timeout time.Duration

	terms []route.Term // empty: whatever the object says
}

// NewCmdWait makes the command. A nil run is Options.Run.
func NewCmdWait(f mesh.Factory, s genericiooptions.IOStreams, run func(context.Context, *Options) error) *cobra.Command {
	o := &Options{Streams: s}
	if run == nil {
		run = func(ctx context.Context, o *Options) error { return o.Run(ctx) }
	}
	c := &cobra.Command{
		Use:   "wait NAME --for=live|DEST=PERCENT",
		Short: "Wait until every gateway has the object's weights",
		Long: `Wait until the Envoy of every ready ingress gateway pod holds the weights of the object, whoever wrote them.
With --for=DEST=PERCENT wait first until the object says so: for changes that come by way of git.

Exit codes: 0 live, 4 not live in time, 130 interrupted.`,
		Example: `  kubectl mesh-split wait demoapp --for=live

  # until GitOps has brought 30 % to stage, and every gateway has it
  kubectl mesh-split wait demoapp --for=stage=30 --timeout 10m`,
		Args:              cli.Args(cobra.ExactArgs(1)),
		ValidArgsFunction: complete.Name(f),
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
	c.Flags().StringSliceVar(&o.For, "for", []string{"live"}, "live, or DEST=PERCENT; several DEST=PERCENT by commas")
	c.Flags().DurationVar(&o.Timeout, "timeout", change.DefaultTimeout, "give up after so long")
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

// Validate reports every wrong argument and flag at once, without I/O.
func (o *Options) Validate() (err error) {
	if _, _, nameErr := mesh.ParseName(o.Name); nameErr != nil {
		err = errors.Join(err, nameErr)
	}
	if o.Timeout <= 0 {
		err = errors.Join(err, fault.Usagef("write a duration such as 60s", "--timeout %v is not above 0", o.Timeout))
	}
	wishes := slices.DeleteFunc(slices.Clone(o.For), func(w string) bool { return w == "live" })
	terms, termErr := route.ParseTerms(wishes)
	o.terms = terms
	return errors.Join(err, termErr)
}

// Run waits.
func (o *Options) Run(ctx context.Context) error {
	show := screen.New(o.Streams.Out, o.Streams.ErrOut, false)
	s, err := subject.Load(ctx, o.Client, o.Name, o.Routes...)
	if err != nil {
		return err
	}
	if _, err := wanted(s, o.terms); err != nil {
		return err // a destination nobody has heard of will not come by waiting
	}
	if err := s.FindGateways(ctx); err != nil {
		return err
	}
	if s.Entry.OfConnections() {
		return fault.New(fault.Failed, "kubectl mesh-split verify measures them", "the gateways do not show the weights of %s: it routes connections", s.Entry)
	}
	show.Title(s.Title()...)
	waiting, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	gateways := fleet.Open(waiting, s)
	defer gateways.Close()
	view, state, err := o.await(waiting, s, gateways)
	switch {
	case err != nil && ctx.Err() == nil && waiting.Err() == nil:
		return err
	case len(view) > 0 && view.Live() && state == "":
		show.Done("live", "%s", view)
		return nil
	case ctx.Err() != nil:
		if len(view) > 0 {
			state = strings.TrimPrefix(state+"; "+view.String(), "; ")
		}
		show.Line("interrupted: %s", state)
		return fault.Verdict{Exit: fault.Interrupted}
	}
	if len(view) > 0 {
		gateways.Blame(ctx, view)
		show.Broken("live", "%s after %s", view, report.Seconds(o.Timeout.Seconds()))
		view.WriteTable(show.Out())
	}
	if state == "" {
		state = view.Cause()
	}
	return fault.New(fault.Inconclusive, "wait longer with --timeout, or look at istiod and the gateway pods named", "not live in time: %s", state).Named("E_NOT_LIVE")
}

// await reads the object until it is as wished and every gateway holds it. State says what the object lacks, or is empty.
func (o *Options) await(ctx context.Context, s *subject.Subject, gateways *fleet.Fleet) (view fleet.Views, state string, err error) {
	start := time.Now()
	for {
		arrived, err := wanted(s, o.terms)
		if err != nil {
			return view, "", err
		}
		state = ""
		if arrived {
			// A second at most: the object may say something else by then.
			look, cancel := context.WithTimeout(ctx, readEvery)
			view = gateways.Await(look, s.Entries(), start)
			cancel()
		} else {
			state = "the object says " + weights(s.Entries())
			timer := time.NewTimer(readEvery / 4)
			select {
			case <-timer.C:
			case <-ctx.Done():
				timer.Stop()
			}
		}
		if ctx.Err() != nil {
			return view, state, ctx.Err()
		}
		before := weights(s.Entries())
		if err := s.Reload(ctx); err != nil {
			return view, state, err
		}
		if arrived && view.Live() && before == weights(s.Entries()) {
			return view, "", nil
		}
	}
}

// wanted says whether the object has the shares that terms ask for: planning them would write nothing.
func wanted(s *subject.Subject, terms []route.Term) (bool, error) {
	if len(terms) == 0 {
		return true, nil
	}
	plan, err := route.PlanSet(s.Entries(), terms, route.Options{})
	if err != nil {
		return false, err
	}
	return plan.Nothing(), nil
}

// weights are those of all entries: "70/30, 50/50".
func weights(entries []route.Entry) string {
	parts := make([]string, len(entries))
	for i, e := range entries {
		parts[i] = fleet.Weights(e.Weights())
	}
	return strings.Join(parts, ", ")
}
