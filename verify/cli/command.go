package cli

import (
	"cmp"
	"fmt"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/mesh-split/mesh-split/verify"
	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/report"
	"github.com/mesh-split/mesh-split/verify/version"
)

// NewCommand is the command tree of mesh-verify.
func NewCommand(s Streams) *cobra.Command {
	o := newOptions(s)
	root := &cobra.Command{
		Use:   "mesh-verify URL --expect NAME=WEIGHT,...",
		Short: "Measure whether a gateway splits traffic as told",
		Long: `Send a bounded load to URL, learn from each reply which version answered, and say PASS, FAIL or INCONCLUSIVE
about the target split. A wrong verdict has a probability of at most 1 minus --confidence, whenever the run stops.

Exit codes: 0 PASS, 1 error, 2 usage, 3 FAIL, 4 INCONCLUSIVE, 130 interrupted.`,
		Example: `  # does v2 get its 30 %, and does it work?
  mesh-verify http://127.0.0.1:8080/ --expect v1=70,v2=30

  # a short answer: certified within how many points after 300 requests?
  mesh-verify http://127.0.0.1:8080/ --expect v1=70,v2=30 --max-requests 300`,
		Args: Args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error { return o.verify(c, args[0]) },
	}
	UsageErrors(root)
	o.load.AddFlags(root.Flags())
	o.places.AddFlags(root.Flags())
	o.load.AddWatchFlags(root.Flags())
	root.Flags().VarP(&o.expect, "expect", "", "the target split, such as v1=70,v2=30")
	outputFlag(root, &o.output)
	root.AddCommand(newLoad(s), newMerge(s), newPlan(s), newVersion(s), newWorker(s))
	root.CompletionOptions.HiddenDefaultCmd = true
	return root
}

func outputFlag(c *cobra.Command, output *string) {
	c.Flags().StringVarP(output, "output", "o", "text", "text or json")
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
}

type options struct {
	streams Streams
	load    LoadFlags
	places  AddressFlags
	expect  verify.Split
	output  string
	only    bool // load only
}

func newOptions(s Streams) *options { return &options{streams: s, load: LoadFlags{In: s.In}} }

func (o *options) verify(c *cobra.Command, address string) error {
	if err := CheckOutput(o.output, "text", "json"); err != nil {
		return err
	}
	config, err := o.load.Config()
	if err != nil {
		return err
	}
	config.Target, config.LoadOnly = o.expect, o.only
	if err := o.aim(&config, address); err != nil {
		return err
	}
	ctx, abort, release := Interruptible(c.Context())
	defer release()
	config.Abort = abort
	view := NewView(o.streams.Err)
	config.Announce, config.Progress = view.Announce, view.Progress
	r, err := verify.Run(ctx, config)
	view.Close()
	if r == nil {
		return err
	}
	if o.output == "text" {
		view.Unsaid(r)
	}
	if err != nil { // of a load whose far side went away: what was answered until then, and why it ended
		return cmp.Or(o.print(r), err)
	}
	return o.finish(r)
}

// finish prints a report and ends with its code.
func (o *options) finish(r *verify.Report) error {
	if err := o.print(r); err != nil {
		return err
	}
	if code := o.load.Exit(r); code != fault.Done {
		return fault.Verdict{Exit: code}
	}
	return nil
}

func (o *options) print(r *verify.Report) error {
	if o.output == "json" {
		return report.WriteJSON(o.streams.Out, r)
	}
	if _, err := fmt.Fprintf(o.streams.Out, "\n ✓ measured   %s\n\n", report.Measured(r)); err != nil {
		return err
	}
	report.WriteText(o.streams.Out, r)
	return nil
}

// aim says in the Config where the load goes.
func (o *options) aim(c *verify.Config, address string) (err error) {
	if c.URL, err = o.url(address); err != nil {
		return err
	}
	c.Addresses, err = o.places.Addresses(c.URL)
	return err
}

// url joins the address and --path.
func (o *options) url(address string) (string, error) {
	path, err := o.load.Path()
	if err != nil || path == "" {
		return address, err
	}
	u, err := url.Parse(address)
	if err != nil {
		return address, nil // what is wrong with it is said elsewhere
	}
	u, err = WithPath(u, path)
	if err != nil {
		return "", err
	}
	return u.String(), nil
}

func newLoad(s Streams) *cobra.Command {
	o := newOptions(s)
	o.only = true
	c := &cobra.Command{
		Use:     "load URL",
		Short:   "Only send load and count; no target, no verdict",
		Example: "  mesh-verify load http://127.0.0.1:8080/ --rate max --max-time 10s --max-requests 1000000",
		Args:    Args(cobra.ExactArgs(1)),
		RunE:    func(c *cobra.Command, args []string) error { return o.verify(c, args[0]) },
	}
	UsageErrors(c)
	o.load.AddSendFlags(c.Flags())
	o.places.AddFlags(c.Flags())
	outputFlag(c, &o.output)
	return c
}

func newPlan(s Streams) *cobra.Command {
	o := newOptions(s)
	c := &cobra.Command{
		Use:     "plan --expect NAME=WEIGHT,...",
		Short:   "How many requests and how long a verdict takes; sends nothing",
		Example: "  mesh-verify plan --expect v1=90,v2=10 --tolerance 1% --rate 500",
		Args:    Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, args []string) error {
			config, err := o.load.Config()
			if err != nil {
				return err
			}
			config.Target = o.expect
			plan, err := verify.PlanOf(config)
			if err != nil {
				return err
			}
			if o.output == "json" {
				return report.WriteJSON(s.Out, plan)
			}
			plan.WriteText(s.Out)
			return nil
		},
	}
	UsageErrors(c)
	o.load.AddFlags(c.Flags())
	c.Flags().VarP(&o.expect, "expect", "", "the target split, such as v1=70,v2=30")
	outputFlag(c, &o.output)
	return c
}

func newVersion(s Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  Args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(s.Out, "mesh-verify", version.String())
			return err
		},
	}
}
