//go:build unix

package cli

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/mesh-split/mesh-split/sandbox"
)

func TestParseWeights(t *testing.T) {
	for _, row := range []struct {
		in   string
		want []int64
		bad  bool
	}{
		{in: "100/0", want: []int64{100, 0}},
		{in: "1/2/3", want: []int64{1, 2, 3}},
		{in: "", want: []int64{}}, // not nil: the files' own weights, not the default
		{in: "100", want: []int64{100}},
		{in: "-1/101", bad: true},
		{in: "a/b", bad: true},
		{in: "50/", bad: true},
	} {
		got, err := parseWeights(row.in)
		if (err != nil) != row.bad || !slices.Equal(got, row.want) && !row.bad || !row.bad && got == nil {
			t.Errorf("parseWeights(%q) = %v, %v; want %v", row.in, got, err, row.want)
		}
	}
}

// Mistakes are usage errors, status 2, found before anything is touched.
func TestUsage(t *testing.T) {
	for _, row := range []struct{ args, want string }{
		{"fault freeze first", `freeze wants the number of a gateway, not "first"`},
		{"fault stop etcd", `unknown fault "stop" of "etcd"`},
		{"fault melt 0", `unknown fault "melt" of "0"`},
		{"fault kill 0 --latency 5ms", "go with app, not with kill"},
		{"fault kill", "accepts 2 arg(s)"},
		{"up now", "unknown command"},
		{"up --weights x", `--weights "x" is not like 100/0`},
		{"down --nonsense", "unknown flag"},
	} {
		root := New()
		root.SetArgs(strings.Fields(row.args))
		root.SetOut(io.Discard)
		root.SetErr(io.Discard)
		err := root.ExecuteContext(t.Context())
		var wrong UsageError
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), row.want) {
			t.Errorf("sandbox %s: %v; want a usage error with %q", row.args, err, row.want)
		}
	}
}

// Every fault of the help is known.
func TestFaultHelp(t *testing.T) {
	for line := range strings.Lines(faultHelp) {
		words := strings.Fields(line)
		if len(words) < 2 || !strings.HasPrefix(line, "  ") {
			continue
		}
		target := map[string]string{"GATEWAY": "0", "VERSION": "v1"}[words[1]]
		if target == "" {
			target = words[1]
		}
		for name := range strings.SplitSeq(words[0], "|") {
			if _, err := action(name, target, sandbox.Switches{}); err != nil {
				t.Errorf("the help names %s %s: %v", name, target, err)
			}
		}
	}
}
