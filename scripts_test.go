package meshsplit_test

import (
	"os/exec"
	"strings"
	"testing"
)

// Shell runs on after an error unless told not to, and finds out late what a parser would have seen.
func TestScripts(t *testing.T) {
	shellcheck, err := exec.LookPath("shellcheck")
	if err != nil {
		t.Log("NOT RUN: shellcheck is not here (apt-get install shellcheck); only bash's own parser was asked")
	}
	count := 0
	walk(t, func(path string) {
		if !strings.HasPrefix(path, "hack/") && !strings.HasPrefix(path, ".ci/") {
			return
		}
		text := read(t, path)
		if !strings.HasPrefix(text, "#!") {
			return
		}
		count++
		if !strings.HasPrefix(text, "#!/usr/bin/env bash\n# ") || !strings.Contains(text, "\nset -euo pipefail\n") {
			t.Errorf("%s does not begin with bash, a comment that says what it does, and set -euo pipefail", path)
		}
		if out, err := exec.Command("bash", "-n", path).CombinedOutput(); err != nil {
			t.Errorf("bash -n %s: %v\n%s", path, err, out)
		}
		if shellcheck != "" {
			if out, err := exec.Command(shellcheck, path).CombinedOutput(); err != nil {
				t.Errorf("shellcheck %s: %v\n%s", path, err, out)
			}
		}
	})
	if count < 5 {
		t.Errorf("found %d scripts, want 5 or more: is this test looking in the right place?", count)
	}
}

// `make` alone must be safe to type.
func TestMakeAloneListsTargets(t *testing.T) {
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("NOT RUN: make is not here")
	}
	out, err := exec.Command("make").CombinedOutput()
	if err != nil {
		t.Fatalf("make: %v\n%s", err, out)
	}
	for _, want := range []string{"\nEveryday\n", "\n  demo  ", "\nTest\n", "\n  race  ", "\nRelease\n"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("make prints no %q:\n%s", want, out)
		}
	}
}
