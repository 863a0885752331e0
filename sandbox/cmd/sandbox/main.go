//go:build unix

package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	istiod "istio.io/istio/pilot/cmd/pilot-discovery/app"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"

	"github.com/mesh-split/mesh-split/sandbox/internal/cli"
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
	root := cli.New()
	root.AddCommand(newEtcd(), newSupervise())
	root.SetArgs(args)
	return cli.Status(root.ExecuteContext(ctx), os.Stderr)
}

func part(command *cobra.Command, args []string) int {
	command.SetArgs(args)
	if command.Execute() != nil { // it has said why
		return 1
	}
	return 0
}

// newSupervise is the process that owns a sandbox: its order comes on standard input, its progress goes to standard output.
func newSupervise() *cobra.Command {
	return &cobra.Command{Use: "supervise", Hidden: true, Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		return supervisor.Run(c.Context(), os.Stdin, os.Stdout)
	}}
}
