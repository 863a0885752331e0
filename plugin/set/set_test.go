package set

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

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

// parse runs the command line up to the point where work would begin.
func parse(t *testing.T, line string) (*Options, *noCluster, error) {
	t.Helper()
	f, s := &noCluster{}, genericiooptions.NewTestIOStreamsDiscard()
	var got *Options
	c := NewCmdSet(f, s, func(_ context.Context, o *Options) error { got = o; return nil })
	c.SetArgs(strings.Fields(line))
	err := c.ExecuteContext(t.Context())
	return got, f, err
}

func TestParses(t *testing.T) {
	got, f, err := parse(t, "vs/demoapp stage=30 prod=rest --verify --revert-on fail,inconclusive --timeout 5s --route 1 --sum 1000 -o json --rate 50")
	if err != nil {
		t.Fatal(err)
	}
	if got.Name != "vs/demoapp" || !slices.Equal(got.Terms, []string{"stage=30", "prod=rest"}) || !got.Verify || !got.Wait ||
		!slices.Equal(got.RevertOn, []string{"fail", "inconclusive"}) || got.Timeout != 5*time.Second || !slices.Equal(got.Routes, []string{"1"}) ||
		got.Sum != 1000 || got.Output != "json" || got.Manager != "mesh-split" || got.DryRun != "" || !f.asked {
		t.Errorf("options: %+v", got)
	}
	config, err := got.Measure.Config()
	if err != nil || config.Rate != 50 || config.Settle != settle {
		t.Errorf("load: rate %v, settle %v, %v; want 50, %v", config.Rate, config.Settle, err, settle)
	}
}

func TestWrongUsage(t *testing.T) {
	for _, tt := range []struct{ line, says string }{
		{"demoapp", "requires at least 2 arg(s)"},
		{"demoapp stage=x", "not a percentage"},
		{"demoapp stage=101", "more than 100"},
		{"pod/demoapp stage=30", "names no route object"},
		{"demoapp stage=30 --url shop.example.com", "is not an http or https URL"},
		{"demoapp stage=30 --url http://shop.example.com/ --host shop", "--url says host and path"},
		{"demoapp stage=30 --url http://shop.example.com/ --path /api --verify", "--url says host and path"},
		{"demoapp stage=30 --dry-run=perhaps", "--dry-run"},
		{"demoapp stage=30 -o yaml", "output"},
		{"demoapp stage=30 --timeout 0s", "--timeout"},
		{"demoapp stage=30 --field-manager kubectl-set", "--field-manager"}, // Flux would take the fields for its own
		{"demoapp stage=30 --verify --wait=false", "--wait=false"},
		{"demoapp stage=30 --revert-on fail", "--revert-on"},
		{"demoapp stage=30 --verify --revert-on always", "--revert-on"},
		{"demoapp stage=30 --verify --rate 0", "rate"},
		{"demoapp stage=30 --verify --address nowhere", "address"},
		{"demoapp stage=30 --bogus", "unknown flag"},
	} {
		got, f, err := parse(t, tt.line)
		if fault.ExitCode(err) != fault.Usage || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("set %s: %v (exit code %d), want a usage error that says %q", tt.line, err, fault.ExitCode(err), tt.says)
		}
		if got != nil || f.asked {
			t.Errorf("set %s: work began (%v), or a kubeconfig was read (%v), in spite of wrong usage", tt.line, got != nil, f.asked)
		}
	}
}

func TestSaysEveryFaultAtOnce(t *testing.T) {
	_, _, err := parse(t, "demoapp stage=x --dry-run=perhaps --timeout 0s")
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		t.Fatalf("one fault of three: %v", err)
	}
	for _, says := range []string{"percentage", "--dry-run", "--timeout"} {
		if !strings.Contains(err.Error(), says) {
			t.Errorf("%q lacks %q", err, says)
		}
	}
}
