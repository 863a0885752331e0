package plugin

import (
	"bytes"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/mesh-split/mesh-split/verify/fault"
)

func run(t *testing.T, words ...string) (stdout, stderr string, code fault.Code) {
	t.Helper()
	t.Setenv("KUBECONFIG", t.TempDir()+"/none")
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	var out, err bytes.Buffer
	code = Main(t.Context(), words, genericiooptions.IOStreams{In: strings.NewReader(""), Out: &out, ErrOut: &err})
	return out.String(), err.String(), code
}

func TestMainFaces(t *testing.T) {
	for _, tt := range []struct {
		name           string
		words          []string
		stdout, stderr string
		code           fault.Code
	}{
		{"help calls it as people do", []string{"kubectl-mesh_split", "set", "--help"}, "kubectl mesh-split set NAME DEST=PERCENT", "", fault.Done},
		{"without arguments it says what there is", []string{"kubectl-mesh_split"}, "Commands:", "", fault.Done},
		{"version", []string{"kubectl-mesh_split", "version", "-o", "json"}, `"platform": `, "", fault.Done},
		{"options lists kubectl's flags", []string{"kubectl-mesh_split", "options"}, "--context string", "", fault.Done},
		{"the shell's face completes", []string{"/usr/bin/kubectl_complete-mesh_split", "ver"}, "verify\t", "", fault.Done},
		{"on Windows too", []string{"kubectl_complete-mesh_split.exe", "und"}, "undo\t", "", fault.Done},
		{"a verb that there is not", []string{"kubectl-mesh_split", "verfy"}, "", "did you mean kubectl mesh-split verify?", fault.Usage},
		{"a flag that there is not", []string{"kubectl-mesh_split", "get", "--bogus"}, "", "hint: see kubectl mesh-split get --help", fault.Usage},
		{"no kubeconfig is an error, not localhost:8080", []string{"kubectl-mesh_split", "get"}, "", "error: no kubeconfig", fault.Failed},
	} {
		stdout, stderr, code := run(t, tt.words...)
		if code != tt.code || !strings.Contains(stdout, tt.stdout) || !strings.Contains(stderr, tt.stderr) {
			t.Errorf("%s: %q gives code %d\nstdout: %.300s\nstderr: %.300s\nwant %d, %q, %q", tt.name, tt.words, code, stdout, stderr, tt.code, tt.stdout, tt.stderr)
		}
		if tt.code != fault.Done && stdout != "" {
			t.Errorf("%s: an error left %q on stdout", tt.name, stdout)
		}
	}
}

// Reference pages are generated from the tree: nothing in it may depend on who builds it.
func TestNothingOfThisMachineInHelp(t *testing.T) {
	t.Setenv("HOME", "/somewhere/else")
	stdout, _, _ := run(t, "kubectl-mesh_split", "options")
	if strings.Contains(stdout, "somewhere/else") {
		t.Errorf("the home folder shows:\n%s", stdout)
	}
}
