package cli

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mesh-split/mesh-split/verify/fault"
)

// Streams are where a command reads and writes.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// Main runs mesh-verify with its arguments (without the program's name) and gives the exit code.
func Main(ctx context.Context, args []string, s Streams) fault.Code {
	out := &output{Writer: s.Out}
	s.Out = out
	root := NewCommand(s)
	root.SetArgs(args)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	if s.In != nil {
		root.SetIn(s.In)
	}
	err := root.ExecuteContext(ctx)
	if out.err != nil && (err == nil || errors.As(err, new(fault.Verdict))) {
		err = fault.New(fault.Failed, "whoever reads it ended too early, or the disk is full", "writing to stdout: %w", out.err)
	}
	fault.Print(s.Err, err)
	return fault.ExitCode(err)
}

// output remembers that something could not be written, whoever wrote it: a report that is cut must not end like a whole one.
type output struct {
	io.Writer
	err error // of the first write that failed; one goroutine at a time writes
}

func (o *output) Write(b []byte) (int, error) {
	n, err := o.Writer.Write(b)
	if err != nil && o.err == nil {
		o.err = err
	}
	return n, err
}

// UsageErrors makes a command's own complaints about flags and arguments usage errors of ours, with a hint.
func UsageErrors(c *cobra.Command) {
	c.SilenceErrors, c.SilenceUsage = true, true
	c.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		if errors.Is(err, pflag.ErrHelp) {
			return err
		}
		var e *fault.Error
		if errors.As(err, &e) {
			return e
		}
		return fault.Usagef("see "+c.CommandPath()+" --help", "%s", lowerFirst(err.Error()))
	})
}

// Args wraps an argument check so that it fails as a usage error with the command's usage line as hint.
func Args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return fault.Usagef("usage: "+c.UseLine(), "%s", lowerFirst(err.Error()))
		}
		return nil
	}
}

// CheckOutput is the usage error of an -o that is none of the allowed forms; the empty one, text, is always allowed.
func CheckOutput(output string, allowed ...string) error {
	if output == "" || slices.Contains(allowed, output) {
		return nil
	}
	return fault.Usagef("write -o "+strings.Join(allowed, " or -o ")+", or leave it out", "output %q is not known", output)
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}
