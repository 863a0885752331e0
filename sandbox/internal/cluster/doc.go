// Package cluster fills an empty API server with what a cluster with Istio's ingress gateway would hold.
//
// It answers "which objects make the sandbox look like a cluster?" and puts them there; it takes a client and addresses, and
// refuses to know processes. The subtle point: no controller and no kubelet runs here, so what they would write (a node's
// address, a pod's readiness) is written by this package through the API, once, and by the supervisor when it breaks
// something. Everything that the programs under test read or change is a real object behind a real API.
package cluster
