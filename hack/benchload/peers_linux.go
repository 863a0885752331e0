package main

import (
	"context"
	"debug/buildinfo"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// peer is a program we measure ourselves against.
type peer struct {
	name    string
	version []string // arguments that make it say its version
	get     []string // the command that installs it into the folder of tools; nil: by the package
	debian  string
}

// The versions are those of the published table. fortio's later commands need a module that the public proxy does not serve.
var peers = []peer{
	{name: "wrk", version: []string{"-v"}, debian: "wrk"},
	{name: "h2load", version: []string{"--version"}, debian: "nghttp2-client"},
	{name: "fortio", version: []string{"version"}, get: []string{"go", "install", "fortio.org/fortio@v1.68.0"}},
	{name: "oha", version: []string{"--version"}, get: []string{"cargo", "install", "--locked", "oha", "--root"}},
	{name: "hey", debian: "hey"},
	{name: "vegeta", version: []string{"-version"}, get: []string{"go", "install", "github.com/tsenart/vegeta/v12@v12.13.0"}},
}

// tools are the programs found.
type tools struct {
	dir      string
	paths    map[string]string
	versions map[string]string
	absent   []string // why, in words
}

// findTools looks for each peer in the folder of tools and on PATH, and installs what is missing.
func findTools(ctx context.Context, dir string, install bool) (*tools, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	t := &tools{dir: dir, paths: map[string]string{}, versions: map[string]string{}}
	for _, p := range peers {
		path := t.find(p)
		if path == "" && install && p.get != nil {
			t.install(ctx, p)
			path = t.find(p)
		}
		if path == "" {
			t.lacks(p)
			continue
		}
		t.paths[p.name], t.versions[p.name] = path, versionOf(path, p)
	}
	t.floor(ctx)
	return t, nil
}

func (t *tools) find(p peer) string {
	for _, folder := range []string{t.dir, filepath.Join(t.dir, "bin")} { // cargo installs into bin
		if path := filepath.Join(folder, p.name); exec.Command("test", "-x", path).Run() == nil {
			return path
		}
	}
	path, _ := exec.LookPath(p.name)
	return path
}

// install builds a peer from source; it may take long, and what goes wrong is only said.
func (t *tools) install(ctx context.Context, p peer) {
	if _, err := exec.LookPath(p.get[0]); err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 25*time.Minute)
	defer cancel()
	args := p.get[1:]
	if p.get[0] == "cargo" {
		args = append(append([]string(nil), args...), t.dir)
	}
	say("installing %s into %s", p.name, t.dir)
	c := exec.CommandContext(ctx, p.get[0], args...)
	c.Env = append(os.Environ(), "GOBIN="+t.dir, "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		say("!!! %s: %v\n%s", strings.Join(c.Args, " "), err, tail(out))
	}
}

func (t *tools) lacks(p peer) {
	how := strings.Join(p.get, " ")
	if p.name == "oha" {
		how += " " + t.dir
	}
	if p.debian != "" {
		how = "apt-get install " + p.debian
	}
	t.absent = append(t.absent, p.name)
	say("!!! SKIPPED: %s is absent; get it with: %s", p.name, how)
}

//go:embed floor/floor.c
var floorSource []byte

// floor compiles the client that does only the kernel's work.
func (t *tools) floor(ctx context.Context) {
	source, path := filepath.Join(t.dir, "floor.c"), filepath.Join(t.dir, "floor")
	err := os.WriteFile(source, floorSource, 0o644)
	if err == nil {
		var out []byte
		if out, err = exec.CommandContext(ctx, "cc", "-O2", "-o", path, source).CombinedOutput(); err != nil {
			err = fmt.Errorf("%w %s", err, tail(out))
		}
	}
	if err != nil {
		t.absent = append(t.absent, "floor")
		say("!!! SKIPPED: the floor, a client in C: %v; get a compiler with: apt-get install gcc libc6-dev", err)
		return
	}
	t.paths["floor"], t.versions["floor"] = path, "hack/benchload/floor/floor.c, cc -O2"
}

var versionText = regexp.MustCompile(`v?\d+\.\d+(\.\d+)?[-+.\w]*`)

// versionOf reads what go install noted in the program, or asks the program, or Debian where the program does not know.
func versionOf(path string, p peer) string {
	if info, err := buildinfo.ReadFile(path); err == nil && strings.HasPrefix(info.Main.Version, "v") {
		return info.Main.Version
	}
	if p.version != nil {
		out, _ := exec.Command(path, p.version...).CombinedOutput()
		if v := versionText.Find(out); v != nil {
			return string(v)
		}
	}
	if p.debian != "" {
		if out, err := exec.Command("dpkg-query", "-W", "-f", "${Version}", p.debian).Output(); err == nil {
			return string(out)
		}
	}
	return "unknown"
}

// tail is the end of a program's output, which is where the reason stands.
func tail(out []byte) string {
	return strings.TrimSpace(string(out[max(0, len(out)-600):]))
}
