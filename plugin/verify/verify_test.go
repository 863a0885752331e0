package verify

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/verify/fault"
)

// noCluster is a Factory that says whether it was asked: wrong usage must not touch a kubeconfig.
type noCluster struct{ asked bool }

func (f *noCluster) Client() (*mesh.Client, error) {
	f.asked = true
	return &mesh.Client{Context: "test"}, nil
}

// A pipeline reads the exit code, and a person what it means.
func TestHelpNamesExitCodes(t *testing.T) {
	_, codes, ok := strings.Cut(NewCmdVerify(&noCluster{}, genericiooptions.NewTestIOStreamsDiscard(), nil).Long, "Exit codes: ")
	for _, code := range []fault.Code{fault.Done, fault.Failed, fault.Usage, fault.Fail, fault.Inconclusive, fault.Refused, fault.NeedsPerson, fault.Interrupted} {
		if !ok || !slices.Contains(strings.FieldsFunc(codes, func(r rune) bool { return strings.ContainsRune(" ,;.\n", r) }), strconv.Itoa(int(code))) {
			t.Errorf("verify may end with %d, and its help does not say so: %q", code, codes)
		}
	}
}

func TestUsage(t *testing.T) {
	for _, tt := range []struct{ line, says string }{
		{"shop", ""},
		{"shop --route api --route pages", ""},
		{"shop --all-routes --expect v2=30", ""},
		{"shop --passive --route api", ""},
		{"shop --watch --route api", ""},
		{"shop --route api --all-routes", "--route and --all-routes both say which routes"},
		{"shop --all-routes --passive", "--passive is about one route, and several are asked for"},
		{"shop --route api --route pages --passive", "--passive is about one route"},
		{"shop --all-routes --watch", "--watch is about one route"},
		{"shop --passive --path /api", "--passive sends nothing, so --path has no meaning"},
	} {
		f, reached := &noCluster{}, false
		c := NewCmdVerify(f, genericiooptions.NewTestIOStreamsDiscard(), func(context.Context, *Options) error { reached = true; return nil })
		c.SetArgs(strings.Fields(tt.line))
		err := c.ExecuteContext(t.Context())
		switch {
		case tt.says == "" && (err != nil || !reached):
			t.Errorf("%s: %v", tt.line, err)
		case tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says) || fault.ExitCode(err) != fault.Usage || f.asked):
			t.Errorf("%s: got %v (exit code %d, cluster asked: %v), want %q", tt.line, err, fault.ExitCode(err), f.asked, tt.says)
		}
	}
}
