package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var contents = []file{{"kubectl-mesh_split", 0o755, []byte("binary")}, {"LICENSE", 0o644, []byte("licence")}}

// entry is what an unpacker sees.
type entry struct {
	Name, Data string
	Mode       int64
	Time       time.Time
}

var want = []entry{{"kubectl-mesh_split", "binary", 0o755, epoch}, {"LICENSE", "licence", 0o644, epoch}}

func TestTar(t *testing.T) {
	archive, ending, err := pack("linux", contents)
	if err != nil || ending != ".tar.gz" {
		t.Fatalf("pack(linux) ends in %q, %v", ending, err)
	}
	zipped, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	if zipped.Name != "" || !zipped.ModTime.IsZero() {
		t.Errorf("gzip's header holds a name %q or a time %v", zipped.Name, zipped.ModTime)
	}
	var got []entry
	for r := tar.NewReader(zipped); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if h.Uid != 0 || h.Gid != 0 || h.Uname != "" || h.Gname != "" {
			t.Errorf("%s has an owner: %d %d %q %q", h.Name, h.Uid, h.Gid, h.Uname, h.Gname)
		}
		got = append(got, entry{h.Name, string(data), h.Mode, h.ModTime.UTC()})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("archive (-want +got)\n%s", diff)
	}
}

func TestZip(t *testing.T) {
	archive, ending, err := pack("windows", contents)
	if err != nil || ending != ".zip" {
		t.Fatalf("pack(windows) ends in %q, %v", ending, err)
	}
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	var got []entry
	for _, f := range r.File {
		opened, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(opened)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, entry{f.Name, string(data), int64(f.Mode().Perm()), f.Modified.UTC()})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("archive (-want +got)\n%s", diff)
	}
}

func TestSameBytesAgain(t *testing.T) {
	for _, system := range []string{"linux", "windows"} {
		one, _, err1 := pack(system, contents)
		two, _, err2 := pack(system, contents)
		if err1 != nil || err2 != nil || !bytes.Equal(one, two) {
			t.Errorf("%s: two archives of the same files differ, %v, %v", system, err1, err2)
		}
	}
}

func TestVersionIsAskedFor(t *testing.T) {
	for _, version := range []string{"", "0.1.0", "v1", "v0.1.0 -X evil=1"} {
		err := run([]string{"--version", version, "--out", t.TempDir()}, io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), "--version") {
			t.Errorf("version %q gave %v", version, err)
		}
	}
}
