// Pack writes gateway-api.yaml.gz: the kinds of the Gateway API's standard channel that a gateway's traffic needs, as the
// module in go.mod has them. Run it by `go generate ./internal/crds` after changing that module's version.
package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const module = "sigs.k8s.io/gateway-api"

var kinds = []string{"gatewayclasses", "gateways", "grpcroutes", "httproutes", "referencegrants"}

func main() {
	target := "gateway-api.yaml.gz"
	if len(os.Args) > 1 { // the test that compares
		target = os.Args[1]
	}
	if err := run(target); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(target string) error {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		return fmt.Errorf("finding %s: %w", module, err)
	}
	folder := filepath.Join(strings.TrimSpace(string(out)), "config", "crd", "standard")
	var packed bytes.Buffer
	writer, err := gzip.NewWriterLevel(&packed, gzip.BestCompression) // no name and no time in it: the same each run
	if err != nil {
		return err
	}
	for _, kind := range kinds {
		data, err := os.ReadFile(filepath.Join(folder, "gateway.networking.k8s.io_"+kind+".yaml"))
		if err != nil {
			return err
		}
		fmt.Fprintf(writer, "---\n%s\n", data)
	}
	if err := writer.Close(); err != nil {
		return err
	}
	return os.WriteFile(target, packed.Bytes(), 0o644)
}
