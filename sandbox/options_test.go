//go:build unix

package sandbox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every fault is named at once, each with its remedy.
func TestConfigFaults(t *testing.T) {
	_, err := Options{Dir: t.TempDir(), Binary: "/nowhere/sandbox", Mesh: "/nowhere/mesh", Gateways: 17}.config()
	for _, want := range []string{"--gateways 17 is not within 1 and 16", "the sandbox program is missing: /nowhere/sandbox",
		"make sandbox", "the demo application is missing: /nowhere/demoapp", "make demoapp", "the folder of Istio objects is missing: /nowhere/mesh"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v\nwant %q in it", err, want)
		}
	}
}

func TestConfigDefaults(t *testing.T) {
	root := t.TempDir()
	for _, file := range []string{"sandbox/go.mod", "bin/sandbox", "bin/demoapp", "istio-config/gateway.yaml"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, file)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, file), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("SANDBOX_BIN", "")
	t.Chdir(filepath.Join(root, "sandbox"))
	c, err := Options{}.config()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(c.Binary, "/bin/sandbox") || !strings.HasSuffix(c.DemoApp, "/bin/demoapp") || !strings.HasSuffix(c.Mesh, "/istio-config") ||
		!strings.HasSuffix(c.Dir, "/mesh-split/sandbox/default") || c.Gateways != 1 || len(c.Weights) != 2 || c.Weights[0] != 100 || !c.Keep {
		t.Errorf("got %+v", c)
	}
}

func TestRouteDump(t *testing.T) {
	if got := hostOf("outbound|80|v1|flaskapp.prod.svc.cluster.local"); got != "flaskapp.prod.svc.cluster.local" {
		t.Errorf("host %q", got)
	}
}
