// Package crds holds the custom resource definitions that the sandbox's API server serves: Istio's, from the module that
// istiod is built from, and the standard channel of the Gateway API, from the module that istiod reads it with.
//
// The Gateway API's module embeds nothing, so a packed copy of its files stands here; a test compares it with the module.
package crds

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"

	"istio.io/istio/manifests"
)

//go:generate go run ./pack

//go:embed gateway-api.yaml.gz
var gatewayAPI []byte

// YAML returns all definitions, as documents of one stream.
func YAML() ([]byte, error) {
	istio, err := manifests.FS.ReadFile("charts/base/files/crd-all.gen.yaml")
	if err != nil {
		return nil, err
	}
	packed, err := gzip.NewReader(bytes.NewReader(gatewayAPI))
	if err != nil {
		return nil, fmt.Errorf("gateway-api.yaml.gz: %w", err)
	}
	gateway, err := io.ReadAll(packed)
	if err != nil {
		return nil, fmt.Errorf("gateway-api.yaml.gz: %w", err)
	}
	return bytes.Join([][]byte{istio, gateway}, []byte("\n---\n")), nil
}
