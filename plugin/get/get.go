package get

import (
	"context"
	"errors"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/cli-runtime/pkg/printers"

	"github.com/mesh-split/mesh-split/plugin/complete"
	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/verify/cli"
	"github.com/mesh-split/mesh-split/verify/fault"
)

// Options are what a person asks for.
type Options struct {
	Streams   genericiooptions.IOStreams
	Client    *mesh.Client
	Name      string // NAME or TYPE/NAME; "" lists
	All       bool
	Selector  string
	NoHeaders bool
	Watch     bool // go on with what changes
	Print     *genericclioptions.PrintFlags
}

// NewCmdGet makes the command. A nil run is Options.Run.
func NewCmdGet(f mesh.Factory, s genericiooptions.IOStreams, run func(context.Context, *Options) error) *cobra.Command {
	o := &Options{Streams: s, Print: genericclioptions.NewPrintFlags("")}
	if run == nil {
		run = func(ctx context.Context, o *Options) error { return o.Run(ctx) }
	}
	c := &cobra.Command{
		Use:   "get [NAME]",
		Short: "Show routes with their destinations, weights and shares",
		Example: `  kubectl mesh-split get
  kubectl mesh-split get demoapp -o wide
  kubectl mesh-split get httproute/demoapp --watch
  kubectl mesh-split get -A -o jsonpath='{.items[*].route}'`,
		Args:              cli.Args(cobra.MaximumNArgs(1)),
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
	c.Flags().BoolVarP(&o.All, "all-namespaces", "A", false, "show the objects of all namespaces")
	c.Flags().StringVarP(&o.Selector, "selector", "l", "", "label selector of the objects")
	c.Flags().BoolVarP(&o.Watch, "watch", "w", false, "after what is there, show each object again as it changes, until Ctrl-C")
	c.Flags().BoolVar(&o.NoHeaders, "no-headers", false, "leave out the table's header")
	o.Print.AddFlags(c)
	c.Flags().Lookup("output").Usage = "wide, json, yaml, name, jsonpath=…, go-template=… and their -file forms"
	return c
}

// Complete reads arguments and kubeconfig.
func (o *Options) Complete(f mesh.Factory, args []string) (err error) {
	if len(args) > 0 {
		o.Name = args[0]
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
		if o.All || o.Selector != "" {
			err = errors.Join(err, fault.Usagef("name one object, or list with -A and -l", "a name goes with neither -A nor -l"))
		}
	}
	if _, printErr := o.printer(); printErr != nil {
		err = errors.Join(err, fault.Usagef("write -o wide, json, yaml, name or jsonpath=…", "%w", printErr))
	}
	return err
}

// printer is nil for tables.
func (o *Options) printer() (printers.ResourcePrinter, error) {
	switch *o.Print.OutputFormat {
	case "", "wide":
		return nil, nil
	}
	return o.Print.ToPrinter()
}
