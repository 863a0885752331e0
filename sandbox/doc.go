//go:build unix

// Package sandbox runs a real kube-apiserver, a real istiod and real Envoys on loopback: no root, no containers, no
// cluster, ready in some seconds.
//
// It is for tests and demos that change Istio weights and want to see what happens. [Start] brings a sandbox up, [Attach]
// finds one that runs; a [Sandbox] tells where everything is (kubeconfig, gateway, Envoy admin ports) and breaks things on
// purpose: a gateway that freezes or dies, one that keeps stale weights, istiod or the API server gone, an application
// that is slow or fails. All of it lives in one folder and ends with [Sandbox.Down], or with the process that started it.
//
// The package refuses to be Kubernetes: it starts processes of the sandbox binary (cmd/sandbox) and links none of it, so a
// test that imports it compiles in seconds. It runs on Linux and macOS.
//
// Its one subtle point: all gateways listen on one port (SO_REUSEPORT), so the kernel spreads connections over them as
// a layer-4 load balancer would. A connection stays with its gateway; a frozen gateway's connections hang.
package sandbox
