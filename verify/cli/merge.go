package cli

import (
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/mesh-split/mesh-split/verify"
	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/stream"
)

func newMerge(s Streams) *cobra.Command {
	o := newOptions(s)
	c := &cobra.Command{
		Use:   "merge FILE|-... --expect NAME=WEIGHT,...",
		Short: "Join what workers counted and decide as one run",
		Long: `Read the streams of several mesh-verify workers, while they run or afterwards, and decide as if they were one run. A worker
that was lost before its last line leaves no PASS: the answer is INCONCLUSIVE then, or FAIL where that is proved.

Exit codes are those of mesh-verify: 0 PASS, 1 error, 2 usage, 3 FAIL, 4 INCONCLUSIVE, 130 interrupted.`,
		Example: `  # streams that were kept
  mesh-verify merge a.ndjson b.ndjson c.ndjson --expect v1=70,v2=30 -o json`,
		Args: Args(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error { return o.merge(c, args) },
	}
	UsageErrors(c)
	o.load.AddJudgeFlags(c.Flags())
	c.Flags().VarP(&o.expect, "expect", "", "the target split, such as v1=70,v2=30")
	outputFlag(c, &o.output)
	return c
}

func (o *options) merge(c *cobra.Command, names []string) error {
	if err := CheckOutput(o.output, "text", "json"); err != nil {
		return err
	}
	config, err := o.load.Judged()
	if err != nil {
		return err
	}
	config.Target = o.expect
	if config.Target.Len() == 0 {
		return fault.Usagef("write --expect v1=70,v2=30", "no target split")
	}
	sources, err := o.open(names)
	if err != nil {
		return err
	}
	ctx, _, release := Interruptible(c.Context())
	defer release()
	view := NewView(o.streams.Err)
	config.Progress = view.Progress
	r, err := verify.Merge(ctx, config, sources)
	view.Close()
	if err != nil {
		return err
	}
	return o.finish(r)
}

// open opens all streams; - is stdin, once.
func (o *options) open(names []string) (sources []stream.Source, err error) {
	defer func() {
		if err != nil {
			for _, s := range sources {
				_ = s.Close()
			}
		}
	}()
	stdin := false
	for _, name := range names {
		if name == "-" {
			if stdin || o.streams.In == nil {
				return sources, fault.Usagef("give every worker a stream of its own", "stdin can be read once")
			}
			stdin = true
			sources = append(sources, stream.Source{Name: "stdin", ReadCloser: io.NopCloser(o.streams.In)})
			continue
		}
		f, err := os.Open(name)
		if err != nil {
			var path *os.PathError
			if errors.As(err, &path) {
				err = path.Err
			}
			return sources, fault.New(fault.Failed, "give the files that mesh-verify worker wrote", "opening %s: %w", name, err)
		}
		sources = append(sources, stream.Source{Name: name, ReadCloser: f})
	}
	return sources, nil
}
