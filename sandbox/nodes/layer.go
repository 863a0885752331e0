//go:build linux

package nodes

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"sort"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// layer is one image layer: paths inside the image and what is there.
type layer map[string]entry

// entry is a file from the machine, a text, a link or a folder.
type entry struct {
	from string // a file of this machine
	text string
	link string // target of a symbolic link
	dir  bool
	mode int64 // 0 means 0755
}

// file adds a file of this machine; links are followed.
func (l layer) file(at, from string) { l[at] = entry{from: from} }

// program adds a program of this machine with the shared libraries that it needs, under the names by which it asks for them.
func (l layer) program(at, from string) error {
	l.file(at, from)
	out, err := exec.Command("ldd", from).CombinedOutput()
	if err != nil {
		if strings.Contains(string(out), "not a dynamic executable") {
			return nil
		}
		return fmt.Errorf("asking ldd for the libraries of %s: %w: %s", from, err, bytes.TrimSpace(out))
	}
	for line := range strings.Lines(string(out)) { // "libm.so.6 => /lib/x/libm.so.6 (0x…)" or "/lib64/ld-linux-x86-64.so.2 (0x…)"
		for _, word := range strings.Fields(line) {
			if strings.HasPrefix(word, "/") {
				l.file(strings.TrimPrefix(word, "/"), word)
			}
		}
	}
	return nil
}

// image turns the layer into an image's layer. The bytes depend on the contents alone: no times, no owners of this machine.
func (l layer) image() (v1.Layer, error) {
	var packed bytes.Buffer
	if err := l.pack(&packed); err != nil {
		return nil, err
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(packed.Bytes())), nil }
	return tarball.LayerFromOpener(open, tarball.WithCompressionLevel(gzip.NoCompression)) // it travels to the next folder
}

func (l layer) pack(out io.Writer) error {
	for name := range l { // a runtime wants the folders too
		for parent := path.Dir(name); parent != "."; parent = path.Dir(parent) {
			if _, ok := l[parent]; !ok {
				l[parent] = entry{dir: true}
			}
		}
	}
	names := make([]string, 0, len(l))
	for name := range l {
		names = append(names, name)
	}
	sort.Strings(names) // parents before children
	w := tar.NewWriter(out)
	for _, name := range names {
		if err := l[name].write(w, name); err != nil {
			return fmt.Errorf("packing %s: %w", name, err)
		}
	}
	return w.Close()
}

func (e entry) write(w *tar.Writer, name string) error {
	header := &tar.Header{Name: name, Mode: e.mode, Typeflag: tar.TypeReg, Format: tar.FormatPAX}
	if header.Mode == 0 {
		header.Mode = 0o755
	}
	switch {
	case e.dir:
		header.Name, header.Typeflag = name+"/", tar.TypeDir
		return w.WriteHeader(header)
	case e.link != "":
		header.Typeflag, header.Linkname = tar.TypeSymlink, e.link
		return w.WriteHeader(header)
	case e.from == "":
		header.Size = int64(len(e.text))
		if err := w.WriteHeader(header); err != nil {
			return err
		}
		_, err := io.WriteString(w, e.text)
		return err
	}
	from, err := filepath.EvalSymlinks(e.from)
	if err != nil {
		return err
	}
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	header.Size = info.Size()
	if err := w.WriteHeader(header); err != nil {
		return err
	}
	_, err = io.Copy(w, f)
	return err
}
