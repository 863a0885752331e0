package get

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/cli-runtime/pkg/printers"

	"github.com/mesh-split/mesh-split/plugin/complete"
	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/verify/cli"
	"github.com/mesh-split/mesh-split/verify/fault"
)

// Options are what a person asks for.
type Options struct {
	Streams   genericiooptions.IOStreams
	Client    *mesh.Client
	Name      string // "" lists
	All       bool
	Selector  string
	NoHeaders bool
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

// Run reads and prints.
func (o *Options) Run(ctx context.Context) error {
	objects, err := o.objects(ctx)
	if err != nil {
		return err
	}
	printer, err := o.printer()
	if err != nil {
		return err
	}
	if *o.Print.OutputFormat == "name" {
		for _, object := range objects {
			if err := printer.PrintObj(object.Unstructured, o.Streams.Out); err != nil {
				return err
			}
		}
		return nil
	}
	surroundings, _, err := o.Client.Surroundings(ctx)
	if err != nil {
		return err
	}
	var rows []row
	for _, object := range objects {
		entries, err := route.Entries(object.Object, surroundings)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if len(e.Destinations) > 0 {
				rows = append(rows, row{object, e, route.HistoryOf(object.Object)})
			}
		}
	}
	if len(rows) == 0 && printer == nil {
		fmt.Fprintln(o.Streams.ErrOut, o.nothing())
		return nil
	}
	var out runtime.Object = table(rows)
	if printer == nil {
		printer = printers.NewTablePrinter(printers.PrintOptions{
			NoHeaders: o.NoHeaders, Wide: *o.Print.OutputFormat == "wide", WithNamespace: o.All,
		})
	} else if out, err = documents(rows, o.Client.Context); err != nil {
		return err
	}
	return printer.PrintObj(out, o.Streams.Out)
}

func (o *Options) objects(ctx context.Context) ([]mesh.Object, error) {
	if o.Name == "" {
		return o.Client.List(ctx, mesh.VirtualService, o.All, o.Selector)
	}
	kind, name, err := mesh.ParseName(o.Name)
	if err != nil {
		return nil, err
	}
	object, err := o.Client.Get(ctx, kind, name)
	if err != nil {
		return nil, err
	}
	return []mesh.Object{object}, nil
}

func (o *Options) nothing() string {
	if o.All {
		return "No VirtualService with destinations found"
	}
	return fmt.Sprintf("No VirtualService with destinations found in %s namespace.", o.Client.Namespace)
}
