//go:build unix

package plugintest

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mesh-split/mesh-split/sandbox"
)

var shared *sandbox.Sandbox

// TestMain starts one sandbox for all scripts, or uses the one that MESH_SPLIT_TEST_SANDBOX names.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "1"); err != nil {
		panic(err)
	}
	os.Exit(func() int {
		if dir := os.Getenv("MESH_SPLIT_TEST_SANDBOX"); dir != "" {
			var err error
			if shared, err = sandbox.Attach(dir); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
			return m.Run()
		}
		dir, err := os.MkdirTemp("", "mesh-split-plugintest-")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		var progress bytes.Buffer
		shared, err = sandbox.Start(context.Background(), sandbox.Options{Dir: dir, Gateways: 2, Progress: &progress})
		if err != nil {
			fmt.Fprintf(os.Stderr, "%sno sandbox to test in: %v\n", &progress, err)
			return 1
		}
		defer shared.Down(context.Background())
		return m.Run()
	}())
}

// bin is where the programs under test are. A missing one fails the scripts, never skips them.
func bin(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", "..", "bin"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"kubectl", "kubectl-mesh_split", "mesh-verify", "sandbox"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Fatalf("%v: run make build sandbox first", err)
		}
	}
	return dir
}

func TestScripts(t *testing.T) {
	path := bin(t)
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("PATH", path+string(os.PathListSeparator)+e.Getenv("PATH"))
			e.Setenv("BIN", path)
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("KUBECONFIG", shared.Kubeconfig())
			e.Setenv("GATEWAY", shared.GatewayURL())
			e.Setenv("SANDBOX", shared.Dir())
			// Load that is quick to judge: a band of 5 points needs some hundred requests. Scripts that are about the
			// defaults leave it out.
			e.Setenv("QUICK", "--rate=800 --tolerance=5% --settle=200ms")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "route": routeCommand, "fault": faultCommand, "interrupt": interrupt, "meddler": meddlerCommand,
			"webhook": webhookCommand, "httproute": httpRouteCommand, "dump": dumpCommand, "serve": serveCommand, "hide": hideCommand,
		},
	})
}
