package verify_test

import (
	"context"
	"io"
	"testing"

	"github.com/mesh-split/mesh-split/verify"
	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/stream"
	"github.com/mesh-split/mesh-split/verify/verdict"
)

// Ctrl-C at a merge that has not seen a line ends it as any interruption does, with a report that says what is missing.
func TestMergeInterrupted(t *testing.T) {
	out, in := io.Pipe()
	defer func() { _ = in.Close() }()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, err := verify.Merge(ctx, verify.Config{Target: split(t, "v1=70,v2=30")}, []stream.Source{{Name: "a", ReadCloser: out}})
	if err != nil {
		t.Fatal(err)
	}
	if verify.ExitCode(r) != fault.Interrupted || r.Verdict != "INCONCLUSIVE" || r.Reasons[0].Code != verdict.CodeIncomplete || r.StartedAt != "" {
		t.Errorf("status %d, verdict %s, reasons %+v, started %q; want 130, INCONCLUSIVE, incomplete, at no time", verify.ExitCode(r), r.Verdict, r.Reasons, r.StartedAt)
	}
}
