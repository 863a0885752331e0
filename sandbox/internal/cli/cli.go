//go:build unix

// Package cli is the sandbox's command line for people: up, down, status, fault.
//
// It turns words into calls of package sandbox, and errors into a status. It links none of the parts, so it is tested
// without them; the program in cmd/sandbox adds the commands that are the parts.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// UsageError is a mistake on the command line; nothing was touched.
type UsageError struct{ error }

// New returns the root command with the commands for people.
func New() *cobra.Command {
	root := &cobra.Command{Use: "sandbox", Short: "A real kube-apiserver, istiod and Envoy on loopback",
		SilenceUsage: true, SilenceErrors: true}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return UsageError{err} })
	root.AddCommand(newUp(), newDown(), newStatus(), newFault())
	return root
}

// Status says on w what went wrong, and returns the exit status: 0 done, 1 error, 2 wrong usage, 130 interrupted.
func Status(err error, w io.Writer) int {
	var wrong UsageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &wrong):
		fmt.Fprintln(w, "error:", err)
		return 2
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(w, "interrupted")
		return 130
	}
	fmt.Fprintln(w, "error:", err)
	return 1
}

// Arguments makes an argument check's complaint a usage error.
func Arguments(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return UsageError{fmt.Errorf("%w\nhint: %s", err, c.UseLine())}
		}
		return nil
	}
}
