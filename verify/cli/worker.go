package cli

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/mesh-split/mesh-split/verify"
)

func newWorker(s Streams) *cobra.Command {
	o := newOptions(s)
	var id string
	var slowerThan time.Duration
	c := &cobra.Command{
		Use:   "worker URL",
		Short: "Send a part of a load and tell what was counted, for merge",
		Long: `Send load to URL as one of several workers, and write what was counted to stdout: a line of JSON every 100 ms, each with
all counts so far, the last one exact. mesh-verify merge joins the lines of all workers and decides. SIGTERM or Ctrl-C stops
the sending; every reply is awaited before the last line. Caps and rate are this worker's own.`,
		Example: `  # three processes, one decision
  mesh-verify merge --expect v1=70,v2=30 \
    <(mesh-verify worker http://127.0.0.1:8080/) \
    <(mesh-verify worker http://127.0.0.1:8080/) \
    <(mesh-verify worker http://127.0.0.1:8080/)`,
		Args: Args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			config, err := o.load.Config()
			if err != nil {
				return err
			}
			if err := o.aim(&config, args[0]); err != nil {
				return err
			}
			ctx, abort, release := Interruptible(c.Context())
			defer release()
			config.Abort, config.SlowerThan = abort, slowerThan
			config.Announce = NewView(s.Err).Announce
			// A reader that goes away is an error of writing, after which replies are still awaited; the signal would end us.
			gone := make(chan os.Signal, 1)
			signal.Notify(gone, syscall.SIGPIPE)
			defer signal.Stop(gone)
			return verify.Work(ctx, config, id, s.Out)
		},
	}
	UsageErrors(c)
	o.load.AddSendFlags(c.Flags())
	o.places.AddFlags(c.Flags())
	c.Flags().DurationVar(&slowerThan, "slower-than", 0, "what counts as a slow request, for merge --fail-on split,errors,latency")
	c.Flags().StringVar(&id, "id", "", "this worker's name, different from all others' (default: drawn at random)")
	return c
}
