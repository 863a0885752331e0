//go:build unix

package cli

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/mesh-split/mesh-split/sandbox"
)

const faultHelp = `Break or mend one thing of a running sandbox, and return when it is broken or mended.

  freeze|thaw GATEWAY        it stops in its tracks; connections hang
  kill|restart GATEWAY       it dies, and its pod is not ready
  hold|release GATEWAY       nothing reaches it from istiod: it keeps the weights it has
  stop|start istiod          gateways go on; Istio objects cannot be changed
  stop|start apiserver       it comes back with its data
  app VERSION [switches]     what v1 or v2 does wrong; without switches it is mended

GATEWAY is a number from 0.`

func newFault() *cobra.Command {
	var dir string
	var switches sandbox.Switches
	c := &cobra.Command{Use: "fault ACTION TARGET", Short: "Break or mend something", Long: faultHelp, Args: Arguments(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, args []string) error {
			do, err := action(args[0], args[1], switches)
			if err != nil {
				return UsageError{err}
			}
			at, err := folder(dir)
			if err != nil {
				return err
			}
			s, err := sandbox.Attach(at)
			if err != nil {
				return err
			}
			return do(s, c.Context())
		}}
	dirFlag(c, &dir)
	c.Flags().DurationVar(&switches.Latency, "latency", 0, "app: added before each reply")
	c.Flags().Float64Var(&switches.ErrorRate, "error-rate", 0, "app: share of replies that fail, 0 to 1")
	c.Flags().IntVar(&switches.ErrorStatus, "error-status", 0, "app: status of those, 400 to 599 (default 500)")
	c.Flags().BoolVar(&switches.Unready, "unready", false, "app: /readyz fails")
	return c
}

// onGateway are the actions whose target is a gateway's number, and onComponent those whose target is a component.
var onGateway = map[string]func(*sandbox.Sandbox, context.Context, int) error{
	"freeze": (*sandbox.Sandbox).Freeze, "thaw": (*sandbox.Sandbox).Thaw,
	"kill": (*sandbox.Sandbox).Kill, "restart": (*sandbox.Sandbox).Restart,
	"hold": (*sandbox.Sandbox).Hold, "release": (*sandbox.Sandbox).Release,
}

var onComponent = map[string]func(*sandbox.Sandbox, context.Context) error{
	"stop istiod": (*sandbox.Sandbox).StopIstiod, "start istiod": (*sandbox.Sandbox).StartIstiod,
	"stop apiserver": (*sandbox.Sandbox).StopAPIServer, "start apiserver": (*sandbox.Sandbox).StartAPIServer,
}

// action turns the words of the command line into what to do.
func action(name, target string, switches sandbox.Switches) (func(*sandbox.Sandbox, context.Context) error, error) {
	if name == "app" {
		return func(s *sandbox.Sandbox, ctx context.Context) error { return s.Fault(ctx, target, switches) }, nil
	}
	if switches != (sandbox.Switches{}) {
		return nil, fmt.Errorf("--latency, --error-rate, --error-status and --unready go with app, not with %s", name)
	}
	if do, ok := onComponent[name+" "+target]; ok {
		return do, nil
	}
	if do, ok := onGateway[name]; ok {
		i, err := strconv.Atoi(target)
		if err != nil {
			return nil, fmt.Errorf("%s wants the number of a gateway, not %q", name, target)
		}
		return func(s *sandbox.Sandbox, ctx context.Context) error { return do(s, ctx, i) }, nil
	}
	return nil, fmt.Errorf("unknown fault %q of %q\nhint: sandbox fault --help", name, target)
}
