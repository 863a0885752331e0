// Package meshsplit_test is the repository testing itself: package docs, the fences between rooms, go.mod, the krew
// manifest, README and the files that users apply. It holds no code of the programs.
package meshsplit_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mesh-split/mesh-split/hack/fence"
)

func TestFences(t *testing.T) {
	fence.Check(t, "./verify/...", fence.Ban{
		"k8s.io/":           "the core runs where no kubeconfig exists",
		"sigs.k8s.io/":      "the core runs where no kubeconfig exists",
		"istio.io/":         "shares arrive as verify.Split; the plugin translates",
		"helm.sh/":          "releases are the plugin's business",
		"charm.land/":       "the core fills reports; who draws them is not its business",
		"golang.org/x/term": "whether somebody watches is the caller's knowledge",
		"github.com/mesh-split/mesh-split/plugin": "imports point one way: cmd, plugin, verify",
	})
	fence.Check(t, "./cmd/mesh-verify", fence.Ban{
		"k8s.io/":   "the stand-alone verifier stays a small binary",
		"istio.io/": "the stand-alone verifier stays a small binary",
		"helm.sh/":  "the stand-alone verifier stays a small binary",
	})
	fence.Check(t, "./plugin/route", fence.Ban{
		"k8s.io/client-go": "planning is pure: no I/O, no cluster",
		"net/http":         "planning is pure: no I/O, no cluster",
		"os/exec":          "planning is pure: no I/O, no cluster",
	})
	fence.Check(t, "./demoapp", fence.Ban{
		"github.com/": "its image is built from the standard library alone",
		"k8s.io/":     "its image is built from the standard library alone",
	})
	fence.Apart(t, "verbs do not import each other: what two share moves down a floor and gets a noun for a name", verbs(t)...)
}

// verbs are the rooms of the plugin that make a command, so that a new one is inside the fence from its first day.
func verbs(t *testing.T) []string {
	t.Helper()
	found := map[string]bool{}
	walk(t, func(path string) {
		if rest, ok := strings.CutPrefix(filepath.ToSlash(path), "plugin/"); !ok || !strings.Contains(rest, "/") || !strings.HasSuffix(path, ".go") {
			return
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Errorf("%v", err)
		}
		if regexp.MustCompile(`(?m)^func NewCmd[A-Z]`).Match(text) {
			found["./"+filepath.ToSlash(filepath.Dir(path))] = true
		}
	})
	return slices.Sorted(maps.Keys(found))
}

// The packages by name, since the import path of the module is one line that `make owner` may rewrite.
func TestEveryPackageHasADoc(t *testing.T) {
	docs := map[string][]string{} // folder to the package comments in it
	walk(t, func(path string) {
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Errorf("%v", err)
			return
		}
		folder := filepath.Dir(path)
		if docs[folder] == nil {
			docs[folder] = []string{}
		}
		if text := docOf(file); text != "" {
			docs[folder] = append(docs[folder], text)
		}
	})
	for folder, texts := range docs {
		switch len(texts) {
		case 0:
			t.Errorf("package %s has no doc: say in %s/doc.go what it answers, takes, gives and refuses to know", folder, folder)
		case 1:
			if len(strings.Fields(texts[0])) < 5 {
				t.Errorf("the doc of package %s says nothing: %q", folder, texts[0])
			}
		default:
			t.Errorf("package %s has %d docs; go doc joins them in no order worth reading", folder, len(texts))
		}
	}
}

// docOf is the package comment without build constraints and copyright headers.
func docOf(file *ast.File) string {
	if file.Doc == nil {
		return ""
	}
	return strings.TrimSpace(file.Doc.Text())
}

func TestGoModHasNoReplace(t *testing.T) {
	text, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if regexp.MustCompile(`(?m)^\s*(replace|exclude)\b`).Match(text) {
		t.Error("go.mod has a replace or exclude: `go install …@latest` refuses such a module")
	}
	if regexp.MustCompile(`(?m)^\s*(k8s\.io/kubernetes|istio\.io/istio)\s`).Match(text) {
		t.Error("go.mod requires a server; those belong to sandbox/go.mod")
	}
}

// What was true on one machine only: home folders, temporary folders with a fixed name, addresses of a private network.
func TestNoTraceOfAMachine(t *testing.T) {
	// The brackets keep this line from finding itself.
	traces := regexp.MustCompile(`[/]home/[a-z]|[/]Users/[A-Za-z]|[/]root/|[/]work/|\b192\.168\.\d+\.\d+|\b172\.(1[6-9]|2\d|3[01])\.\d+\.\d+`)
	walk(t, func(path string) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Errorf("%v", err)
			return
		}
		for i, line := range strings.Split(string(text), "\n") {
			line = strings.ReplaceAll(line, "/home/istio-proxy", "") // a home inside Istio's own image
			if found := traces.FindString(line); found != "" {
				t.Errorf("%s:%d names a place on one machine (%s): %s", path, i+1, found, strings.TrimSpace(line))
			}
		}
	})
}

// walk visits the files that git keeps or would keep; without git, all of them but what builds leave behind.
func walk(t *testing.T, visit func(path string)) {
	t.Helper()
	if out, err := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output(); err == nil {
		for path := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() { // a file may be deleted and not yet committed
				visit(path)
			}
		}
		return
	}
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (path == "bin" || path == "dist" || path == ".git"):
			return fs.SkipDir
		case entry.Type().IsRegular():
			visit(path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
