package crds

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The packed copy is what the module in go.mod has; `go generate ./internal/crds` repairs a difference.
func TestPackedCopyIsTheModules(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "pack")
	if out, err := exec.Command("go", "build", "-o", program, "./pack").CombinedOutput(); err != nil {
		t.Fatalf("building pack: %v\n%s", err, out)
	}
	pack := exec.Command(program, filepath.Join(dir, "packed.gz"))
	if out, err := pack.CombinedOutput(); err != nil {
		t.Fatalf("pack: %v\n%s", err, out)
	}
	want, err := os.ReadFile(filepath.Join(dir, "packed.gz"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(gatewayAPI, want) {
		t.Error("gateway-api.yaml.gz differs from the module; run: go generate ./internal/crds")
	}
}

func TestYAML(t *testing.T) {
	data, err := YAML()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"virtualservices.networking.istio.io", "httproutes.gateway.networking.k8s.io"} {
		if !bytes.Contains(data, []byte("name: "+name+"\n")) {
			t.Errorf("%s is not defined", name)
		}
	}
}
