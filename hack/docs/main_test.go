package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The committed reference is what the code says; `make generate` repairs it.
func TestGeneratedDocsAreCurrent(t *testing.T) {
	t.Chdir("../..")
	fresh := t.TempDir()
	if err := run(fresh); err != nil {
		t.Fatal(err)
	}
	want, got := tree(t, fresh), tree(t, "docs")
	for name, text := range want {
		if diff := cmp.Diff(got[name], text); diff != "" {
			t.Errorf("docs/%s is not what the code says; run make generate (-committed +code):\n%s", name, diff)
		}
	}
	for name := range got {
		if _, known := want[name]; !known && filepath.Dir(name) == "reference" {
			t.Errorf("docs/%s belongs to no command; run make generate", name)
		}
	}
}

func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		files[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
