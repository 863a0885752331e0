package which

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/plugin/screen"
	"github.com/mesh-split/mesh-split/verify/cli"
	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/report"
)

// Options are what a person asks for.
type Options struct {
	Streams genericiooptions.IOStreams
	Client  *mesh.Client
	URL     string
	Method  string
	Headers []string // "Name: value", raw
	Host    string   // Host header, where it is not the URL's
	Port    int      // of the Gateway's server, where it is not the URL's
	Dump    string   // file
	Output  string   // "" or json

	probe route.Probe
}

// NewCmdWhich makes the command. A nil run is Options.Run.
func NewCmdWhich(f mesh.Factory, s genericiooptions.IOStreams, run func(context.Context, *Options) error) *cobra.Command {
	o := &Options{Streams: s}
	if run == nil {
		run = func(ctx context.Context, o *Options) error { return o.Run(ctx) }
	}
	c := &cobra.Command{
		Use:   "which URL",
		Short: "Show the entry that governs a request, and why",
		Long: `Follow a request through the objects as istiod and Envoy do: the Gateway's server, the virtual host, and its routes in
order, each with the condition that decided. No request is sent.

Exit codes: 0 an entry governs it, 1 error, 2 usage, 5 none does, or it cannot be known.`,
		Example: `  kubectl mesh-split which http://shop.example.com/api/cart

  # the canary that a header chooses
  kubectl mesh-split which http://shop.example.com/ -H 'x-canary: yes'

  # what the Envoy of a gateway says about the order
  kubectl exec -n istio-system deploy/istio-ingressgateway -- \
    pilot-agent request GET 'config_dump?resource=dynamic_route_configs' > dump.json
  kubectl mesh-split which http://shop.example.com/ --dump dump.json`,
		Args:              cli.Args(cobra.ExactArgs(1)),
		ValidArgsFunction: cobra.NoFileCompletions,
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
	fs.StringVarP(&o.Method, "method", "X", "GET", "method of the request")
	fs.StringArrayVarP(&o.Headers, "header", "H", nil, "'Name: value' of the request; may be repeated")
	fs.StringVar(&o.Host, "host", "", "Host header (default: the URL's host)")
	fs.IntVar(&o.Port, "port", 0, "port of the Gateway's server (default: the URL's)")
	fs.StringVar(&o.Dump, "dump", "", "file with a gateway's config_dump, which settles what the objects leave open")
	fs.StringVarP(&o.Output, "output", "o", "", "json: one RouteDecision document on stdout")
	return c
}

// Complete reads arguments and kubeconfig.
func (o *Options) Complete(f mesh.Factory, args []string) (err error) {
	o.URL = args[0]
	if err := o.Validate(); err != nil {
		return err
	}
	o.Client, err = f.Client()
	return err
}

// Validate reports every wrong argument and flag at once, without I/O.
func (o *Options) Validate() error {
	probe, err := route.ParseProbe(o.URL)
	headers := http.Header{} // equal names in any case are one header
	probe.Method, probe.Headers = strings.ToUpper(o.Method), headers
	if o.Host != "" {
		probe.SNI, probe.Host = probe.Host, o.Host
	}
	if o.Port < 0 || o.Port > 65535 {
		err = errors.Join(err, fault.Usagef("leave it out for the URL's", "--port %d is no port", o.Port))
	}
	if o.Port > 0 {
		probe.Port = o.Port
	}
	for _, text := range o.Headers {
		name, value, ok := strings.Cut(text, ":")
		if !ok || strings.TrimSpace(name) == "" {
			err = errors.Join(err, fault.Usagef("such as -H 'x-canary: yes'", "header %q has no name and value", text))
			continue
		}
		headers.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	err = errors.Join(err, cli.CheckOutput(o.Output, "json"))
	o.probe = probe
	return err
}

// Run decides and prints.
func (o *Options) Run(ctx context.Context) error {
	show := screen.New(o.Streams.Out, o.Streams.ErrOut, o.Output == "json")
	var dump *route.Dump
	if o.Dump != "" {
		data, err := os.ReadFile(o.Dump)
		if err != nil {
			return fault.New(fault.Failed, "name a file that holds a config_dump", "reading --dump: %w", err)
		}
		if dump, err = route.ParseDump(data); err != nil {
			return err
		}
	}
	whole, unread, err := o.Client.Whole(ctx)
	if err != nil {
		return err
	}
	for _, resource := range unread {
		show.Warn("no right to list %s: routes from there are not seen", resource)
	}
	decision, err := whole.Which(o.probe, dump)
	for _, w := range decision.Warnings {
		show.Warn("%s: %s", w.Name, report.Safe(w.Text))
	}
	if o.Output == "json" {
		if printErr := report.WriteJSON(o.Streams.Out, document(o.Client.Context, decision, err)); printErr != nil {
			return printErr
		}
		return err
	}
	write(show, o.Client.Context, decision)
	if err == nil {
		e := decision.Entry
		show.Say("governs", "%s: %s", report.Safe(e.String()), report.Safe(split(*e)))
	}
	return err
}

// write prints the way to the decision as far as it came.
func write(show *screen.Screen, context string, d *route.Decision) {
	facts := []string{"context " + context, d.Probe.String()}
	if d.Gateway != "" {
		facts = append(facts, fmt.Sprintf("gateway %s port %d", d.Gateway, d.Server))
	}
	show.Title(facts...)
	if d.VirtualHost != "" {
		show.Line("in Envoy: virtual host %s of %s", report.Safe(d.VirtualHost), report.Safe(d.RouteConfig))
	}
	if len(d.Steps) == 0 {
		return
	}
	rows := [][]string{}
	reached := false
	for _, s := range d.Steps {
		answer := s.Fits
		switch {
		case reached:
			answer += ", behind it"
		case s.Fits == "yes":
			reached = true
		}
		rows = append(rows, []string{s.Route, answer, s.Why})
	}
	show.Line("")
	show.Columns([]string{"route", "fits", "because"}, rows)
	show.Line("")
}

// split is such as "v1 90, v2 10"; a lone destination gets everything, whatever its weight says.
func split(e route.Entry) string {
	if len(e.Destinations) == 1 {
		d := e.Destinations[0]
		to := d.Host
		if d.Subset != "" {
			to += " subset " + d.Subset
		}
		return "everything to " + to
	}
	parts := make([]string, len(e.Destinations))
	for i, d := range e.Destinations {
		parts[i] = fmt.Sprintf("%s %d", d.Short, d.Effective)
	}
	return strings.Join(parts, ", ")
}
