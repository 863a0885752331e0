// Package fence keeps imports pointing one way: a test names packages, what they must not import and why, and a failure
// prints the chain of imports that leads there.
//
// It takes a pattern as `go list` knows it and bans; it asks the go tool for the import graph, tests left out. It refuses
// to know which rooms the house has. Its subtle point: imports differ by operating system, so the graph is read for each
// one that we release for, whatever machine the test runs on.
//
//	fence.Check(t, "./verify/...", fence.Ban{"k8s.io/": "the core runs where no kubeconfig exists"})
package fence
