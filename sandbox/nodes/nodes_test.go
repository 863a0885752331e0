//go:build linux

package nodes

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"
)

func TestLayerBytesDependOnContentsOnly(t *testing.T) {
	file := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	pack := func() []byte {
		l := layer{"usr/bin/program": {from: file}, "usr/bin/other": {link: "program"}, "tmp": tmp, "etc/passwd": passwd}
		var out bytes.Buffer
		if err := l.pack(&out); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	first := pack()
	if !bytes.Equal(first, pack()) {
		t.Error("two packings of the same layer differ")
	}
	want := map[string]struct {
		mode int64
		kind byte
	}{
		"etc/": {0o755, tar.TypeDir}, "etc/passwd": {0o644, tar.TypeReg}, "tmp/": {0o1777, tar.TypeDir}, "usr/": {0o755, tar.TypeDir},
		"usr/bin/": {0o755, tar.TypeDir}, "usr/bin/other": {0o755, tar.TypeSymlink}, "usr/bin/program": {0o755, tar.TypeReg},
	}
	seen := map[string]bool{"./": true}
	r := tar.NewReader(bytes.NewReader(first))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if w, ok := want[h.Name]; !ok || w.mode != h.Mode || w.kind != h.Typeflag || !h.ModTime.IsZero() && h.ModTime.Unix() != 0 {
			t.Errorf("%s: mode %o, type %c, time %v; want %v", h.Name, h.Mode, h.Typeflag, h.ModTime, want[h.Name])
		}
		if parent := filepath.Dir(strings.TrimSuffix(h.Name, "/")) + "/"; !seen[parent] {
			t.Errorf("%s comes before its folder", h.Name)
		}
		seen[h.Name] = true
	}
	if len(seen) != len(want)+1 {
		t.Errorf("packed %v, want %d entries", seen, len(want))
	}
}

// What is missing is said at once, not one thing per try.
func TestOptionsSayEverythingThatIsMissing(t *testing.T) {
	o := Options{Programs: t.TempDir(), Dir: "/run/mesh"}
	err := o.complete()
	if err == nil {
		t.Fatal("no error without any program")
	}
	for _, want := range append([]string{"under /run"}, Built...) {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name %s:\n%v", want, err)
		}
	}
}

func TestNames(t *testing.T) {
	for name, valid := range map[string]bool{
		"e2e-1": true, "a": true, "": false, "-a": false, "a-": false, "A": false, "a/b": false, "..": false,
		strings.Repeat("a", 32): true, strings.Repeat("a", 33): false, // unix sockets end at 108 bytes
	} {
		if got := validName.MatchString(name); got != valid {
			t.Errorf("name %q: valid %v, want %v", name, got, valid)
		}
	}
}

// The state's name becomes part of paths that Down removes: a file that somebody else wrote must not choose them.
func TestDownRefusesAStrangeState(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, stateFile), []byte(`{"name": "../../etc"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Down(context.Background(), dir); err == nil {
		t.Error("Down accepted the name ../../etc")
	}
	if _, err := os.Stat(filepath.Join(dir, stateFile)); err != nil {
		t.Errorf("Down removed a folder that it refused: %v", err)
	}
}

func TestDownOfNothing(t *testing.T) {
	if err := Down(context.Background(), filepath.Join(t.TempDir(), "none")); err != nil {
		t.Error(err)
	}
	if _, err := Attach(t.TempDir()); !errors.Is(err, ErrNotRunning) {
		t.Errorf("Attach to an empty folder: %v, want ErrNotRunning", err)
	}
}

// No daemon may speak to the world, and every file that one is given must be written by us.
func TestPlanAndItsFiles(t *testing.T) {
	o := &Options{Name: "test", Dir: t.TempDir(), Programs: "/programs"}
	if err := writePlan(o); err != nil {
		t.Fatal(err)
	}
	if err := writeAccess(o.Dir, time.Now()); err != nil {
		t.Fatal(err)
	}
	for _, d := range daemons(o) {
		for _, arg := range d.Args {
			path := arg[strings.Index(arg, "=")+1:]
			if strings.HasPrefix(path, o.Dir) {
				if _, err := os.Stat(path); err != nil && filepath.Dir(path) != filepath.Join(o.Dir, "kubelet") {
					t.Errorf("%s: %v", d.Name, err)
				}
			}
			if strings.Contains(arg, "0.0.0.0") {
				t.Errorf("%s: %s", d.Name, arg)
			}
		}
	}
	data, err := os.ReadFile(filepath.Join(o.Dir, "kubelet.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var config map[string]any
	if err := yaml.UnmarshalStrict(data, &config); err != nil {
		t.Fatal(err)
	}
	if config["cgroupRoot"] != "/mesh-split-test" || config["containerRuntimeEndpoint"] != "unix://"+socket(o.Dir) {
		t.Errorf("kubelet: %v", config)
	}
}

// Groups are removed from the inside out, and only below the one given.
func TestRemoveGroup(t *testing.T) {
	root := t.TempDir()
	for _, path := range []string{"run/kubepods/pod1", "run/kubepods/pod2", "other"} {
		if err := os.MkdirAll(filepath.Join(root, path), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := removeGroup(filepath.Join(root, "run")); err != nil {
		t.Fatal(err)
	}
	left, _ := filepath.Glob(filepath.Join(root, "*"))
	if len(left) != 1 || filepath.Base(left[0]) != "other" {
		t.Errorf("left: %v, want other only", left)
	}
	if err := removeGroup(filepath.Join(root, "run")); err != nil {
		t.Errorf("again: %v", err)
	}
}
