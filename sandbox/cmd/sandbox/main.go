//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	istiod "istio.io/istio/pilot/cmd/pilot-discovery/app"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"

	"github.com/mesh-split/mesh-split/sandbox/internal/supervisor"
)

func main() { os.Exit(run(os.Args[1:])) }

// run picks the process to be. The parts' own commands take the remaining arguments as they are, and signals too.
func run(args []string) int {
	if len(args) > 0 {
		switch args[0] {
		case "kube-apiserver":
			return part(apiserver.NewAPIServerCommand(), args[1:])
		case "istiod":
			return part(istiod.NewRootCommand(), args[1:])
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends us at once; the supervisor then sees its lease close
	root := newRoot()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var wrong usageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &wrong):
		fmt.Fprintln(os.Stderr, "error:", err)
		return 2
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(os.Stderr, "interrupted")
		return 130
	}
	fmt.Fprintln(os.Stderr, "error:", err)
	return 1
}

func part(command *cobra.Command, args []string) int {
	command.SetArgs(args)
	if command.Execute() != nil { // it has said why
		return 1
	}
	return 0
}

// usageError is a mistake on the command line.
type usageError struct{ error }

func newRoot() *cobra.Command {
	root := &cobra.Command{Use: "sandbox", Short: "A real kube-apiserver, istiod and Envoy on loopback",
		SilenceUsage: true, SilenceErrors: true}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(newUp(), newDown(), newStatus(), newFault(), newEtcd(),
		&cobra.Command{Use: "supervise", Hidden: true, Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
			return supervisor.Run(c.Context(), os.Stdin, os.Stdout)
		}})
	return root
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
