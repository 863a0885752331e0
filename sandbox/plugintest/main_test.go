//go:build unix

package plugintest

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mesh-split/mesh-split/sandbox"
)

var (
	shared    *sandbox.Sandbox // of all tests but scripts, one after the other
	sandboxes *pool            // of scripts, shared among them
)

// TestMain starts the first sandbox, or uses the one that MESH_SPLIT_TEST_SANDBOX names, and then no other.
func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(func() int {
		size := atOnce()
		dir, err := os.MkdirTemp("", "mesh-split-plugintest-")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		if given := os.Getenv("MESH_SPLIT_TEST_SANDBOX"); given != "" {
			size = 1
			shared, err = sandbox.Attach(given)
		} else if shared, err = start(dir); err == nil {
			defer shared.Down(context.Background())
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		if err := flag.Set("test.parallel", strconv.Itoa(size)); err != nil {
			panic(err)
		}
		sandboxes = newPool(dir, shared, size)
		defer sandboxes.down()
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

// Scripts run at the same time, after the tests that measure how long something takes.
func TestScripts(t *testing.T) {
	t.Parallel()
	path := bin(t)
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("PATH", path+string(os.PathListSeparator)+e.Getenv("PATH"))
			e.Setenv("BIN", path)
			e.Setenv("HOME", e.WorkDir)
			own, err := sandboxes.lend(e.T().(testing.TB).Cleanup)
			if err != nil {
				return err
			}
			e.Values[sandboxKey{}] = own
			e.Setenv("KUBECONFIG", own.Kubeconfig())
			e.Setenv("GATEWAY", own.GatewayURL())
			e.Setenv("SANDBOX", own.Dir())
			e.Setenv("GOGC", "400") // many short lives: collecting early is a sixth of their time
			// Load that is quick to judge: a band of 8 points needs some hundred requests. Scripts that are about the
			// defaults leave it out.
			e.Setenv("QUICK", "--rate=800 --tolerance=8% --settle=200ms")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "apply": applyCommand, "route": routeCommand, "fault": faultCommand, "interrupt": interrupt, "meddler": meddlerCommand,
			"webhook": webhookCommand, "httproute": httpRouteCommand, "dump": dumpCommand, "serve": serveCommand, "hide": hideCommand,
		},
	})
}
