// Package e2e holds no code, only tests: the playground, row by row, on a real node with sidecars, mutual TLS and two
// ingress gateways, through the built programs.
//
//	make e2e                                          start a cluster, run all rows, take it down
//	MESH_SPLIT_E2E=1 MESH_SPLIT_E2E_RUN=NAME go test  use (and keep) a cluster that `nodes up --name NAME` started
//	MESH_SPLIT_E2E_RECORD=1 make e2e                  write what is printed into docs/playground.md; read the diff
//
// The commands of docs/playground.md are typed by most rows, and what the page shows is held against what is printed.
//
// Without MESH_SPLIT_E2E=1 every test here is skipped and says so. The rows are one story, told in order: each leaves the
// cluster as the next one wants it.
package e2e
