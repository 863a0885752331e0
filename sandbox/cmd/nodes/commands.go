//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/mesh-split/mesh-split/sandbox/nodes"
)

func newUp() *cobra.Command {
	var o nodes.Options
	c := &cobra.Command{Use: "up", Short: "Start a cluster and return when the demo answers through both gateways", Args: usage(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			began := time.Now()
			if o.Programs == "" {
				self, err := os.Executable()
				if err != nil {
					return err
				}
				o.Programs = filepath.Dir(self)
			}
			o.Progress = c.ErrOrStderr()
			cluster, err := nodes.Start(c.Context(), o)
			if err != nil {
				return fmt.Errorf("%w\nhint: logs are in %s; sweep up with: nodes down --name %s", err, filepath.Join(o.Dir, "log"), o.Name)
			}
			fmt.Fprintf(c.OutOrStdout(), "the cluster is up after %.0f s\n", time.Since(began).Seconds())
			describe(c, cluster)
			return nil
		}}
	f := c.Flags()
	where(c, &o.Name, &o.Dir)
	f.StringVar(&o.Programs, "programs", "", "folder of the built programs (default that of this one)")
	f.StringVar(&o.Repository, "repository", ".", "folder with charts and istio-config")
	f.IntVar(&o.Gateways, "gateways", 2, "number of ingress gateway pods")
	return c
}

func newDown() *cobra.Command {
	var name, dir string
	c := &cobra.Command{Use: "down", Short: "End a cluster, or sweep up after one that crashed", Args: usage(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error { return nodes.Down(c.Context(), folder(name, dir)) }}
	where(c, &name, &dir)
	return c
}

func newStatus() *cobra.Command {
	var name, dir string
	c := &cobra.Command{Use: "status", Short: "Say what runs, and how to reach it", Args: usage(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			cluster, err := nodes.Attach(folder(name, dir))
			if err != nil {
				return err
			}
			describe(c, cluster)
			kubectl := cluster.Command(c.Context(), cluster.Program("kubectl"), "get", "pods", "-A", "-o", "wide")
			kubectl.Stdout, kubectl.Stderr = c.OutOrStdout(), c.ErrOrStderr()
			return kubectl.Run()
		}}
	where(c, &name, &dir)
	return c
}

func newExec() *cobra.Command {
	var name, dir string
	c := &cobra.Command{Use: "exec -- PROGRAM [ARGUMENT...]", Short: "Run a program where the cluster's addresses exist",
		Long: "Run a program in the cluster's network namespace with KUBECONFIG set. Its exit status becomes ours.",
		Args: usage(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			cluster, err := nodes.Attach(folder(name, dir))
			if err != nil {
				return err
			}
			program := cluster.Command(c.Context(), args[0], args[1:]...)
			program.Stdin, program.Stdout, program.Stderr = c.InOrStdin(), c.OutOrStdout(), c.ErrOrStderr()
			err = program.Run()
			var ended *exec.ExitError
			if errors.As(err, &ended) && ended.ExitCode() > 0 {
				return childError{ended.ExitCode()}
			}
			return err
		}}
	where(c, &name, &dir)
	return c
}

func newInit() *cobra.Command {
	return &cobra.Command{Use: "init DIR", Hidden: true, Args: cobra.ExactArgs(1), RunE: func(_ *cobra.Command, args []string) error {
		if os.Getpid() != 1 {
			return errors.New("init is for the first process of a namespace; nodes up starts it")
		}
		return nodes.Init(args[0], os.Stdin)
	}}
}

func newDoctor() *cobra.Command {
	return &cobra.Command{Use: "doctor", Short: "Say what this machine lacks, and try once what a node needs", Args: usage(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := nodes.Doctor(c.Context()); err != nil {
				return err
			}
			fmt.Fprintln(c.OutOrStdout(), "this machine can run nodes")
			return nil
		}}
}

func newTry() *cobra.Command {
	return &cobra.Command{Use: "try DIR", Hidden: true, Args: cobra.ExactArgs(1), RunE: func(_ *cobra.Command, args []string) error {
		if os.Getpid() != 1 {
			return errors.New("try is for the first process of a namespace; nodes doctor starts it")
		}
		return nodes.Try(args[0])
	}}
}

// describe prints what a person needs to go on.
func describe(c *cobra.Command, cluster *nodes.Cluster) {
	state := cluster.State()
	fmt.Fprintf(c.OutOrStdout(), "  folder      %s\n  namespace   %s\n  kubeconfig  %s (context %s)\n  gateway     %s\n  try         nodes exec --name %s -- curl -i %s\n",
		cluster.Dir(), cluster.Namespace(), cluster.Kubeconfig(), nodes.Context, cluster.GatewayURL(), state.Name, cluster.GatewayURL())
	if !state.Ready {
		fmt.Fprintln(c.OutOrStdout(), "  it did not come up completely: nodes down")
	}
}

func where(c *cobra.Command, name, dir *string) {
	c.Flags().StringVar(name, "name", nodes.DefaultName, "name of the run; runs of different names do not meet")
	c.Flags().StringVar(dir, "dir", "", "folder of the run (default /var/lib/mesh-split/NAME)")
}

func folder(name, dir string) string {
	if dir != "" {
		return dir
	}
	return nodes.DefaultDir(name)
}

// usage makes an argument check's complaint a usage error.
func usage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return usageError{fmt.Errorf("%w\nhint: %s", err, c.UseLine())}
		}
		return nil
	}
}
