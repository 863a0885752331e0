package change

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/mesh-split/mesh-split/plugin/guard"
	"github.com/mesh-split/mesh-split/plugin/measure"
	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/plugin/subject"
	"github.com/mesh-split/mesh-split/verify/cli"
	"github.com/mesh-split/mesh-split/verify/fault"
)

// DefaultTimeout is how long a change may take to be live everywhere: istiod pushes within 10 s, and tens of seconds have
// been seen.
const DefaultTimeout = 60 * time.Second

// Options say what is changed and how far it is followed.
type Options struct {
	Streams genericiooptions.IOStreams
	Client  *mesh.Client
	Abort   <-chan struct{} // closed: give up even a drain or a revert
	Now     func() time.Time

	Name      string   // NAME or TYPE/NAME
	Routes    []string // --route
	AllRoutes bool     // --all-routes, where the verb has it
	Verb      string   // set or undo, as the document says it
	// Plan makes the plan for the subject; o carries who and when.
	Plan func(s *subject.Subject, o route.Options) (*route.Plan, error)
	// PlanChooses says that Plan finds the entries, as an undo does by the history: it sets the subject's.
	PlanChooses bool

	Guard    guard.Flags // what a person takes upon themselves
	Verify   bool
	Measure  *measure.Flags
	RevertOn []string // fail, inconclusive, interrupted
	DryRun   string   // "", client or server
	Wait     bool
	Timeout  time.Duration // of waiting until it is live
	// WatchRevert is how long to watch on after all else went well for somebody who sets the weights back.
	WatchRevert time.Duration
	History     string // --history: annotation, configmap or none; "" chooses
	Manager     string // --field-manager
	Output      string // "" or json
	Removed     string // of an undo: the header that it took away before, or would
}

// AddFlags declares the flags that every change has.
func (o *Options) AddFlags(fs *pflag.FlagSet) {
	fs.StringVar(&o.DryRun, "dry-run", "", "client: show what would be sent; server: send it, and let the API server and its webhooks keep nothing")
	fs.Lookup("dry-run").NoOptDefVal = "client"
	fs.BoolVar(&o.Wait, "wait", true, "wait until every gateway has the weights")
	fs.DurationVar(&o.Timeout, "timeout", DefaultTimeout, "wait at most so long until every gateway has the weights")
	fs.DurationVar(&o.WatchRevert, "watch-revert", 0, "watch on for so long, after all else, for somebody who sets the weights back")
	fs.StringVar(&o.History, "history", "", "where the change is remembered: annotation (in the same write, on the object), configmap ("+mesh.Notes+" beside it), none (default: annotation; configmap where the last one was, or with --override-owner=flagger)")
	fs.StringVar(&o.Manager, "field-manager", route.FieldManager, "name that owns the changed fields")
	o.Guard.AddFlags(fs)
	fs.StringVarP(&o.Output, "output", "o", "", "json: one WeightChange document on stdout, everything else on stderr")
}

// Validate reports every wrong option at once, without I/O.
func (o *Options) Validate() error {
	var faults []error
	bad := func(hint, format string, args ...any) { faults = append(faults, fault.Usagef(hint, format, args...)) }
	if !slices.Contains([]string{"", "none", "client", "server"}, o.DryRun) {
		bad("write --dry-run=client or --dry-run=server", "--dry-run %q is not known", o.DryRun)
	}
	if !slices.Contains([]string{"", inAnnotation, inConfigMap, nowhere}, o.History) {
		bad("write --history=annotation, --history=configmap or --history=none", "--history %q is not known", o.History)
	}
	if err := cli.CheckOutput(o.Output, "json"); err != nil {
		faults = append(faults, err)
	}
	if o.Timeout <= 0 {
		bad("write a duration such as 60s", "--timeout %v is not above 0", o.Timeout)
	}
	if strings.HasPrefix(o.Manager, "kubectl") {
		bad("Flux takes the fields of managers named kubectl… for its own; the default is --field-manager mesh-split", "--field-manager %q begins with kubectl", o.Manager)
	}
	for _, when := range o.RevertOn {
		if !slices.Contains([]string{"fail", "inconclusive", "interrupted"}, when) {
			bad("write --revert-on fail,inconclusive", "--revert-on %q is none of fail, inconclusive, interrupted", when)
		}
	}
	switch {
	case o.Verify && !o.Wait:
		bad("leave out one of them", "--verify measures a change that is live, and --wait=false does not wait for that")
	case len(o.RevertOn) > 0 && !o.Verify:
		bad("add --verify", "--revert-on takes back by the verdict, and nothing is measured")
	}
	if err := o.Guard.Validate(); err != nil {
		faults = append(faults, err)
	}
	if o.asks() {
		if err := o.Measure.Validate(); err != nil {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

// asks is true where a request has a say: one that is measured, or that --url gives to choose the route by.
func (o *Options) asks() bool { return o.Verify || o.byURL() }

// byURL is true with --url, which must govern what is changed even where nothing is measured.
func (o *Options) byURL() bool { return o.Measure != nil && o.Measure.URL != "" }

// dry is true for both kinds of rehearsal.
func (o *Options) dry() bool { return o.DryRun == "client" || o.DryRun == "server" }
