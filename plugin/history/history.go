package history

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/cli-runtime/pkg/printers"

	"github.com/mesh-split/mesh-split/plugin/complete"
	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/plugin/screen"
	"github.com/mesh-split/mesh-split/verify/cli"
	"github.com/mesh-split/mesh-split/verify/report"
)

// Options are what a person asks for.
type Options struct {
	Streams   genericiooptions.IOStreams
	Client    *mesh.Client
	Name      string
	Output    string // "", wide or json
	NoHeaders bool
}

// NewCmdHistory makes the command. A nil run is Options.Run.
func NewCmdHistory(f mesh.Factory, s genericiooptions.IOStreams, run func(context.Context, *Options) error) *cobra.Command {
	o := &Options{Streams: s}
	if run == nil {
		run = func(ctx context.Context, o *Options) error { return o.Run(ctx) }
	}
	c := &cobra.Command{
		Use:   "history NAME",
		Short: "Show the recorded changes of an object",
		Long: `Show the changes that mesh-split recorded on the object, oldest first: who, when, from, to and the verdict. At most the
last 16 are remembered, in an annotation of the object or in ConfigMap mesh-split-history beside it; both are read. Changes
by other programs are not in it; kubectl get --show-managed-fields tells those.`,
		Example: `  kubectl mesh-split history demoapp

  # back to what change number 3 had set
  kubectl mesh-split undo demoapp --to-revision 3`,
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
	c.Flags().BoolVar(&o.NoHeaders, "no-headers", false, "leave out the table's header")
	c.Flags().StringVarP(&o.Output, "output", "o", "", "wide: with destinations; json: one RouteHistory document")
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
	err = errors.Join(err, cli.CheckOutput(o.Output, "wide", "json"))
	return err
}

// Run reads and prints.
func (o *Options) Run(ctx context.Context) error {
	show := screen.New(o.Streams.Out, o.Streams.ErrOut, o.Output == "json")
	kind, name, err := mesh.ParseName(o.Name)
	if err != nil {
		return err
	}
	object, err := o.Client.Get(ctx, kind, name)
	if err != nil {
		return err
	}
	noted, err := o.Client.Remembered(ctx, object)
	if err != nil {
		show.Warn("changes that ConfigMap %s may remember are not shown: %s", mesh.Notes, report.Safe(err.Error()))
	}
	h := route.HistoryOf(object.Object).With(noted)
	if entries, err := route.Entries(object.Object, nil); err == nil {
		h.ForgetUnwritten(entries)
	}
	for _, warning := range h.Warnings {
		show.Warn("W_HISTORY: %s", report.Safe(warning))
	}
	if o.Output == "json" {
		return report.WriteJSON(o.Streams.Out, document(o.Client.Context, object, h))
	}
	if len(h.Items) == 0 {
		show.Warn("%s: no change is recorded", report.Safe(object.String()))
		return nil
	}
	return printers.NewTablePrinter(printers.PrintOptions{NoHeaders: o.NoHeaders, Wide: o.Output == "wide"}).PrintObj(table(h), o.Streams.Out)
}

// columns are the table: a header, and how its cell is made. Wide ones have priority 1.
var columns = []struct {
	header   string
	priority int32
	cell     func(change) string
}{
	{"Revision", 0, func(c change) string { return strconv.FormatInt(c.ID, 10) }},
	{"At", 0, func(c change) string { return c.At }},
	{"By", 0, func(c change) string { return c.By }},
	{"Operation", 0, operation},
	{"Route", 0, func(c change) string { return c.Route }},
	{"From", 0, func(c change) string { return weights(c.From) }},
	{"To", 0, func(c change) string { return weights(c.To) }},
	{"Verdict", 0, verdict},
	{"Destinations", 1, func(c change) string { return strings.Join(c.Dests, ",") }},
}

// change is an item, and whether a later one took it back.
type change struct {
	route.HistoryItem
	undone bool
}

// changes are the items, oldest first as kubectl rollout history lists them.
func changes(h route.History) []change {
	undone := h.Undone()
	var out []change
	for i := len(h.Items) - 1; i >= 0; i-- {
		out = append(out, change{h.Items[i], undone[i]})
	}
	return out
}

func table(h route.History) *metav1.Table {
	t := &metav1.Table{}
	for _, c := range columns {
		t.ColumnDefinitions = append(t.ColumnDefinitions, metav1.TableColumnDefinition{Name: c.header, Type: "string", Priority: c.priority})
	}
	for _, item := range changes(h) {
		cells := make([]any, len(columns))
		for i, c := range columns {
			if cells[i] = report.Safe(c.cell(item)); cells[i] == "" || item.Foreign() && i > 0 {
				cells[i] = "-"
			}
		}
		if item.Foreign() {
			cells[3] = "not understood"
		}
		t.Rows = append(t.Rows, metav1.TableRow{Cells: cells})
	}
	return t
}

func operation(c change) string {
	if c.Op == "undo" && c.Undoes > 0 {
		return "undo from " + strconv.FormatInt(c.Undoes, 10)
	}
	return c.Op
}

func verdict(c change) string {
	if c.undone {
		return c.Verdict + ", undone"
	}
	return c.Verdict
}

// weights are stored weights as people write them: 70/30, with "-" where the key was absent.
func weights(list []*int64) string {
	parts := make([]string, len(list))
	for i, w := range list {
		parts[i] = "-"
		if w != nil {
			parts[i] = strconv.FormatInt(*w, 10)
		}
	}
	return strings.Join(parts, "/")
}
