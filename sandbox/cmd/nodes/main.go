//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

// parts are the processes of a Kubernetes node, which take their arguments and signals as they are.
var parts = map[string]func() *cobra.Command{
	"kube-apiserver":          apiserver.NewAPIServerCommand,
	"kube-controller-manager": controllermanager.NewControllerManagerCommand,
	"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
	"kube-proxy":              proxy.NewProxyCommand,
	"kubelet":                 func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) },
	"etcd":                    newEtcd,
}

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	if len(args) > 0 && parts[args[0]] != nil {
		part := parts[args[0]]()
		part.SetArgs(args[1:])
		if part.Execute() != nil { // it has said why
			return 1
		}
		return 0
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends us at once; down removes what is left
	root := newRoot()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var wrong usageError
	var child childError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &child): // it has said why
		return child.status
	case errors.As(err, &wrong):
		fmt.Fprintln(os.Stderr, "error:", err)
		return 2
	case ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "interrupted; sweep up with: nodes down")
		return 130
	}
	fmt.Fprintln(os.Stderr, "error:", err)
	return 1
}

// usageError is a mistake on the command line.
type usageError struct{ error }

// childError is the exit status of a program that nodes exec ran.
type childError struct{ status int }

func (e childError) Error() string { return fmt.Sprintf("exit status %d", e.status) }

func newRoot() *cobra.Command {
	root := &cobra.Command{Use: "nodes", Short: "A real Kubernetes node with a real Istio, without Docker",
		SilenceUsage: true, SilenceErrors: true}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(newUp(), newDown(), newStatus(), newExec(), newDoctor(), newInit(), newTry())
	return root
}
