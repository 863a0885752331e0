package krew

import (
	"strings"
	"testing"
)

func sample() []byte {
	var archives []Archive
	for _, p := range Platforms {
		file := "kubectl-mesh_split_v0.1.0_" + p[0] + "_" + p[1] + ".tar.gz"
		if p[0] == "windows" {
			file = strings.Replace(file, ".tar.gz", ".zip", 1)
		}
		archives = append(archives, Archive{System: p[0], Arch: p[1], File: file, SHA256: strings.Repeat("0a", 32)})
	}
	return Render("v0.1.0", "github.com/owner/mesh-split", archives)
}

func TestRenderPassesItsOwnCheck(t *testing.T) {
	m, err := Check("mesh-split", sample())
	if err != nil {
		t.Fatalf("%v\n%s", err, sample())
	}
	if len(m.Spec.Platforms) != 6 || m.Spec.Version != "v0.1.0" {
		t.Errorf("read back %d platforms of %s, want 6 of v0.1.0", len(m.Spec.Platforms), m.Spec.Version)
	}
}

// Each row breaks one rule of a good manifest.
func TestRules(t *testing.T) {
	tests := []struct{ name, from, to, want string }{
		{"krew's older API version", "/v1alpha2", "/v1alpha1", "apiVersion is"},
		{"another kind", "kind: Plugin", "kind: Receipt", "kind is"},
		{"a name that is not the file's", "name: mesh-split", "name: meshsplit", "metadata.name is"},
		{"no leading v", "version: v0.1.0", "version: 0.1.0", "not a semantic version"},
		{"a leading zero", "version: v0.1.0", "version: v0.01.0", "not a semantic version"},
		{"an upper-case sum", strings.Repeat("0a", 32), strings.Repeat("0A", 32), "sha256"},
		{"a sum cut short", strings.Repeat("0a", 32), strings.Repeat("0a", 31), "sha256"},
		{"a full stop", "measure the split\n", "measure the split.\n", "full stop"},
		{"a description that wraps", "Nothing is installed in the\n    cluster.", "Nothing is installed in the cluster, and that is all of it.\n", "more than 80"},
		{"the wrong program on windows", "bin: kubectl-mesh_split.exe", "bin: kubectl-mesh_split", "bin is"},
		{"a list of files", "bin: kubectl-mesh_split\n", "bin: kubectl-mesh_split\n      files: []\n", "files: is given"},
		{"a platform twice", "os: darwin\n          arch: arm64", "os: linux\n          arch: arm64", "selected 2 times"},
		{"a platform we do not build", "arch: arm64\n", "arch: riscv64\n", "not a platform"},
		{"an address of another version", "download/v0.1.0/", "download/v0.0.9/", "uri"},
		{"a template", "v0.1.0", "{{ .TagName }}", "a template"},
		{"an unknown field", "homepage:", "homesite:", "unknown field"},
	}
	for _, tt := range tests {
		text := strings.Replace(string(sample()), tt.from, tt.to, 1)
		if text == string(sample()) {
			t.Errorf("%s: %q is not in the sample", tt.name, tt.from)
			continue
		}
		if _, err := Check("mesh-split", []byte(text)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want an error with %q", tt.name, err, tt.want)
		}
	}
}

func TestNameComesFromTheFile(t *testing.T) {
	if _, err := Check("krew-manifest", sample()); err == nil {
		t.Error("krew refuses a manifest whose file is named otherwise; Check did not")
	}
}
