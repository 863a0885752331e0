package status

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/yaml"

	"github.com/mesh-split/mesh-split/plugin/complete"
	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/plugin/screen"
	"github.com/mesh-split/mesh-split/plugin/subject"
	"github.com/mesh-split/mesh-split/verify/cli"
	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/report"
)

// lastApplied is where kubectl apply keeps what was declared.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// Options are what a person asks for.
type Options struct {
	Streams genericiooptions.IOStreams
	Client  *mesh.Client
	Name    string
	Route   string
	File    string        // -f: what is declared, instead of the last apply
	Dumps   []string      // files instead of the gateways
	Observe time.Duration // count users' requests for so long
	Watch   bool
	Output  string // "" or json
}

// NewCmdStatus makes the command. A nil run is Options.Run.
func NewCmdStatus(f mesh.Factory, s genericiooptions.IOStreams, run func(context.Context, *Options) error) *cobra.Command {
	o := &Options{Streams: s}
	if run == nil {
		run = func(ctx context.Context, o *Options) error { return o.Run(ctx) }
	}
	c := &cobra.Command{
		Use:   "status NAME",
		Short: "Show declared, live, each gateway's and observed weights side by side, and what they mean",
		Long: `Show the four numbers of a split side by side: what was declared (by the last apply, or in the file of -f), what the
object says, what each gateway's Envoy holds, and what users' own requests got meanwhile; then say what that means and what to do.
Nothing is changed and nothing is sent.`,
		Example: `  kubectl mesh-split status demoapp

  # against what git says
  kubectl mesh-split status demoapp -f istio-config/virtual-service.yaml

  # without the right to look into gateways: from dumps that somebody else made
  kubectl mesh-split status demoapp --dump gateway-1.json,gateway-2.json`,
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
	fs := c.Flags()
	fs.StringVar(&o.Route, "route", "", "the http entry: its name or index (default: the only one that splits traffic)")
	fs.StringVarP(&o.File, "filename", "f", "", "file that declares the object (default: what the last kubectl apply said)")
	fs.StringSliceVar(&o.Dumps, "dump", nil, "files with config_dumps of gateways, instead of looking into them")
	fs.DurationVar(&o.Observe, "observe", 3*time.Second, "count users' own requests for so long; 0 does not")
	fs.BoolVarP(&o.Watch, "watch", "w", false, "look again at every change, and every 5 s, until Ctrl-C; in place on a terminal, else a line each")
	fs.StringVarP(&o.Output, "output", "o", "", "json: one RouteStatus document on stdout")
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
	err = errors.Join(err, cli.CheckOutput(o.Output, "json"))
	if o.Output == "json" && o.Watch {
		err = errors.Join(err, fault.Usagef("leave out one of them", "--watch prints many documents, -o json is one"))
	}
	if len(o.Dumps) > 0 && o.Watch {
		err = errors.Join(err, fault.Usagef("leave out one of them", "files of --dump do not change, so --watch has no meaning"))
	}
	if o.Observe < 0 {
		err = errors.Join(err, fault.Usagef("write a duration such as 3s, or 0", "--observe %v is negative", o.Observe))
	}
	return err
}

// Run looks and prints, with --watch until Ctrl-C.
func (o *Options) Run(ctx context.Context) error {
	l, err := o.begin(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	if o.Watch {
		return l.watch(ctx)
	}
	p, err := l.look(ctx)
	if err != nil {
		return err
	}
	if err := l.observe(ctx, &p); err != nil {
		return err
	}
	found := diagnose(p, l.command)
	if o.Output == "json" {
		return report.WriteJSON(o.Streams.Out, document(l.subject, p, found))
	}
	show := screen.New(o.Streams.Out, o.Streams.ErrOut, false)
	show.Title(l.subject.Title()...)
	write(show, p, found)
	return nil
}

// declared are the weights of the same entry in what was declared; nil where that is not known.
func (o *Options) declared(s *subject.Subject) ([]int64, error) {
	text := s.Object.GetAnnotations()[lastApplied]
	if o.File != "" {
		data, err := os.ReadFile(o.File)
		if err != nil {
			return nil, fault.New(fault.Failed, "name the file that declares the object", "reading -f: %w", err)
		}
		text = string(data)
	}
	var object unstructured.Unstructured
	if text == "" || yaml.Unmarshal([]byte(text), &object.Object) != nil {
		return nil, nil
	}
	entries, err := route.Entries(object.Object, s.Mesh)
	if err != nil {
		return nil, nil
	}
	for _, e := range entries {
		if e.Slot() == s.Entry.Slot() && len(e.Destinations) == len(s.Entry.Destinations) {
			return e.Weights(), nil
		}
	}
	return nil, nil
}
