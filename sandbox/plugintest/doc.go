//go:build unix

// Package plugintest tests `kubectl mesh-split` as users run it: the built programs against a real API server, a real
// istiod and two real Envoys.
//
// The behaviours are scripts (testdata/script/*.txtar), each headed by what it is for; this package gives them a sandbox
// and the few commands that break things. Scripts run one after the other, because a frozen gateway is everybody's.
//
// To work on a script without a start of 10 s each time: `bin/sandbox up --gateways 2 --dir D`, then
// MESH_SPLIT_TEST_SANDBOX=D go test -run TestScripts/NAME.
package plugintest
