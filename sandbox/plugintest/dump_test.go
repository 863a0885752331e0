//go:build unix

package plugintest

import (
	"io"
	"net/http"
	"os"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"
)

// dump GATEWAY FILE: the route configurations of a gateway's Envoy, as its admin port gives them.
func dumpCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: dump GATEWAY FILE")
	}
	i, err := strconv.Atoi(args[0])
	ts.Check(err)
	reply, err := http.Get(shared.Gateways()[i].AdminURL + "/config_dump?resource=dynamic_route_configs")
	ts.Check(err)
	defer reply.Body.Close()
	data, err := io.ReadAll(reply.Body)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), data, 0o600))
}
