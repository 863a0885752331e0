package meshsplit_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	link       = regexp.MustCompile(`\]\(([^)#]+)[^)]*\)`)
	makeTarget = regexp.MustCompile("(?m)(?:^    |`)make ([a-z0-9-]+)")
)

// A link to a file that has moved, or a make target that is gone, is found by a reader too late.
func TestDocsPointAtWhatIs(t *testing.T) {
	makefile := read(t, "Makefile")
	docs, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(docs, "README.md") {
		text := read(t, path)
		for _, found := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(found[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), found[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", path, found[1])
			}
		}
		for _, found := range makeTarget.FindAllStringSubmatch(text, -1) {
			if !regexp.MustCompile(`(?m)^` + found[1] + `:`).MatchString(makefile) {
				t.Errorf("%s says `make %s`, which is no target", path, found[1])
			}
		}
	}
}

// Commands that README shows as the project's two must be there, word for word.
func TestReadmeOpensWithItsPromise(t *testing.T) {
	text := read(t, "README.md")
	for _, want := range []string{"    make demo\n    make test\n", "The krew index does not have it yet"} {
		if !strings.Contains(text, want) {
			t.Errorf("README.md misses %q", want)
		}
	}
}

// `make` alone lists the targets by reading the Makefile; a target without a description would be missing there.
func TestEveryMakeTargetIsDescribed(t *testing.T) {
	makefile := read(t, "Makefile")
	for _, name := range regexp.MustCompile(`(?m)^\.PHONY: (.*)$`).FindStringSubmatch(makefile)[1:] {
		for _, target := range strings.Fields(name) {
			if !regexp.MustCompile(`(?m)^` + target + `:.*## \S`).MatchString(makefile) {
				t.Errorf("target %s has no description behind ##", target)
			}
		}
	}
	for _, target := range regexp.MustCompile(`(?m)^([a-z0-9-]+):.*##`).FindAllStringSubmatch(makefile, -1) {
		if !regexp.MustCompile(`(?m)^\.PHONY:.* ` + target[1] + `( |$)`).MatchString(makefile) {
			t.Errorf("target %s is not in .PHONY: a file of that name would silence it", target[1])
		}
	}
}
