package meshsplit_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// standInCI answers for every tool that .ci/run calls, as on a machine where the user is not root.
const standInCI = `#!/usr/bin/env bash
echo "${0##*/} $*" >>"$LOG"
case "${0##*/} $*" in
  "$FAILS"*) exit 1 ;;
  "id -u") echo 1000 ;;
  "uname -s") echo Linux ;;
esac
`

// What did not run is said, last and loudly; green is said only of what ran; and a red step is the end.
func TestCISaysWhatDidNotRun(t *testing.T) {
	run := func(env ...string) (code int, out string, asked []string) {
		dir := t.TempDir()
		for _, tool := range []string{"make", "git", "gcc", "python3", "perl", "shellcheck", "apt-get", "sudo", "id", "uname"} {
			if err := os.WriteFile(filepath.Join(dir, tool), []byte(standInCI), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		for _, tool := range []string{"bash", "env", "dirname"} {
			real, err := exec.LookPath(tool)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(real, filepath.Join(dir, tool)); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.CommandContext(t.Context(), ".ci/run")
		cmd.Env = append([]string{"PATH=" + dir, "LOG=" + filepath.Join(dir, "log"), "FAILS=none"}, env...)
		text, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil {
			t.Fatal(err)
		}
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		return cmd.ProcessState.ExitCode(), string(text), strings.Split(strings.TrimSpace(string(log)), "\n")
	}

	code, out, asked := run()
	inOrder(t, asked, "sudo --preserve-env=DEBIAN_FRONTEND apt-get install -q -y --no-install-recommends chromium",
		"make doctor", "make sandbox", "make test", "make proofs", "make check", "make race", "make demo")
	if code != 0 || contains(asked, "make e2e") || !strings.Contains(out, "NOT everything ran:\n!!! NOT RUN: make e2e: it needs Linux and root\n") {
		t.Errorf("not root: status %d, did %q:\n%s", code, asked, out)
	}

	code, out, asked = run("CI_SKIP_RACE=1", "CI_SKIP_E2E=1", "FAILS=git rev-parse")
	for _, want := range []string{"make race: CI_SKIP_RACE is set", "make e2e: CI_SKIP_E2E is set", "make check: this is no git checkout"} {
		if !strings.Contains(out, "\n!!! NOT RUN: "+want) {
			t.Errorf("does not say %q:\n%s", want, out)
		}
	}
	if code != 0 || contains(asked, "make race") || contains(asked, "make check") || strings.Contains(out, "all green") {
		t.Errorf("left out: status %d, did %q:\n%s", code, asked, out)
	}

	if code, out, _ = run("FAILS=sudo --preserve-env=DEBIAN_FRONTEND apt-get install -q -y --no-install-recommends chromium"); code != 0 ||
		!strings.Contains(out, "\n!!! NOT RUN: the demo page in a browser: chromium could not be installed") {
		t.Errorf("no Chromium to be had: status %d:\n%s", code, out)
	}

	code, out, asked = run("FAILS=make test")
	if code == 0 || asked[len(asked)-1] != "make test" || strings.Contains(out, "green") {
		t.Errorf("red: status %d, did %q:\n%s", code, asked, out)
	}
}
