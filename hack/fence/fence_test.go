package fence

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBreaches(t *testing.T) {
	graph := map[string][]string{
		"core/a": {"fmt", "core/b"}, "core/b": {"lib/long"}, "lib/long": {"lib/short"}, "lib/short": {"k8s.io/api"},
		"core/c": {"lib/short"},
	}
	tests := []struct {
		name string
		ban  Ban
		want []string
	}{
		{"nothing banned is reached", Ban{"istio.io/": "x"}, nil},
		{"the chain is the shortest of all roots", Ban{"k8s.io/": "no kubeconfig"},
			[]string{"k8s.io/ is banned (no kubeconfig):\n\tcore/c\n\timports lib/short\n\timports k8s.io/api"}},
		{"what is inside the fence is not kept out by its name", Ban{"core/": "z"}, nil},
		{"several bans in a fixed order", Ban{"lib/": "y", "fmt": "x"},
			[]string{"fmt is banned (x):\n\tcore/a\n\timports fmt", "lib/ is banned (y):\n\tcore/b\n\timports lib/long"}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, breaches(graph, []string{"core/a", "core/b", "core/c"}, tt.ban)); diff != "" {
			t.Errorf("%s: breaches of %v (-want +got)\n%s", tt.name, tt.ban, diff)
		}
	}
}

// A fence that cannot fail would hold nothing: here it is made to.
func TestCheckFails(t *testing.T) {
	tests := []struct{ name, pattern, contains string }{
		{"a real chain is printed", ".", "hack/fence\n\timports os/exec"},
		{"a pattern that matches nothing", "./nowhere/...", "fence of ./nowhere/... on linux"},
	}
	for _, tt := range tests {
		var r recorder
		Check(&r, tt.pattern, Ban{"os/exec": "this test says so"})
		if got := strings.Join(r.said, "\n"); !strings.Contains(got, tt.contains) {
			t.Errorf("%s: Check(%s) said %q, want %q in it", tt.name, tt.pattern, got, tt.contains)
		}
		if len(r.said) != 1 {
			t.Errorf("%s: %d failures for one breach on %v: %q", tt.name, len(r.said), Systems, r.said)
		}
	}
}

// Two of our own packages, of which one imports the other; and two that do not.
func TestApart(t *testing.T) {
	tests := []struct {
		name     string
		patterns []string
		contains string
	}{
		{"one imports the other", []string{"../../verify/stats", "../../verify/verdict"}, "/verify/stats is banned (they are two):\n\t"},
		{"neither does", []string{"../../verify/stats", "../../verify/fault"}, ""},
		{"a fence around one", []string{"."}, "fence between [.] on linux: only ["},
	}
	for _, tt := range tests {
		var r recorder
		Apart(&r, "they are two", tt.patterns...)
		if got := strings.Join(r.said, "\n"); !strings.Contains(got, tt.contains) || (tt.contains == "") != (got == "") {
			t.Errorf("%s: Apart(%v) said %q, want %q in it", tt.name, tt.patterns, got, tt.contains)
		}
	}
}

type recorder struct{ said []string }

func (r *recorder) Helper()                      {}
func (r *recorder) Errorf(f string, args ...any) { r.said = append(r.said, fmt.Sprintf(f, args...)) }
