//go:build unix

package plugintest

import (
	"context"
	"os"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mesh-split/mesh-split/sandbox"
)

// dumpOf asks an Envoy's admin port; raw is the answer as it came.
func dumpOf(t testing.TB, admin string) (routes sandbox.Routes, raw []byte) {
	t.Helper()
	routes, raw, err := sandbox.ReadRoutes(context.Background(), admin) // also in a cleanup, when the test's own context has ended
	if err != nil {
		t.Fatal(err)
	}
	return routes, raw
}

// dump GATEWAY FILE: the route configurations of a gateway's Envoy, as its admin port gives them.
func dumpCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: dump GATEWAY FILE")
	}
	i, err := strconv.Atoi(args[0])
	ts.Check(err)
	_, raw, err := sandbox.ReadRoutes(context.Background(), of(ts).Gateways()[i].AdminURL)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), raw, 0o600))
}
