//go:build unix

package cli

import (
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/mesh-split/mesh-split/sandbox"
)

func newDown() *cobra.Command {
	var dir string
	c := &cobra.Command{Use: "down", Short: "End a sandbox, or sweep up after one that crashed", Args: Arguments(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			at, err := folder(dir)
			if err != nil {
				return err
			}
			return sandbox.Down(c.Context(), at)
		}}
	dirFlag(c, &dir)
	return c
}

func newStatus() *cobra.Command {
	var dir string
	c := &cobra.Command{Use: "status", Short: "Say what runs, and where", Args: Arguments(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			at, err := folder(dir)
			if err != nil {
				return err
			}
			s, err := sandbox.Attach(at)
			if err != nil {
				return err
			}
			describe(c.OutOrStdout(), s)
			processes := s.Processes()
			for _, name := range slices.Sorted(maps.Keys(processes)) {
				fmt.Fprintf(c.OutOrStdout(), "  process %d  %s\n", processes[name], name)
			}
			return nil
		}}
	dirFlag(c, &dir)
	return c
}
