//go:build unix

package plugintest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/mesh-split/mesh-split/sandbox"
)

// README opens with a session; what it shows is what happens. Numbers differ from run to run, so each line is compared by its
// first word or two; notes about the machine's speed come and go.
func TestReadmeSession(t *testing.T) {
	path := bin(t)
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, session, _ := strings.Cut(string(text), "<!-- session")
	session, _, _ = strings.Cut(session, "<!-- /session")
	parts := strings.Split(session, "    $ kubectl mesh-split ")[1:]
	if len(parts) != 2 {
		t.Fatalf("the session has %d commands, want 2: a FAIL and a PASS", len(parts))
	}
	t.Parallel()
	s, err := sandboxes.lend(t.Cleanup)
	if err != nil {
		t.Fatal(err)
	}
	set := func(term string) { ran(t, pluginOn(t.Context(), s, path, "set", "demoapp", term)) }
	set("stage=30")
	defer set("stage=0")
	for i, part := range parts {
		end := func() {}
		if i == 0 { // somebody sets 60 %, one gateway does not hear of it, and users are there
			end = staleWithUsers(t, s, path)
		} else {
			set("stage=0")
		}
		lines := strings.Split(part, "\n")
		out, _ := pluginOn(t.Context(), s, path, strings.Fields(lines[0])...).Output()
		end()
		shown := map[string]bool{}
		for _, line := range strings.Split(string(out), "\n") {
			shown[opening(line)] = true
		}
		for _, line := range lines[1:] {
			if !strings.HasPrefix(line, "    ") { // the prose between the two
				continue
			}
			if want := opening(line); want != "" && !strings.HasPrefix(want, "note") && !shown[want] {
				t.Errorf("README shows %q after kubectl mesh-split %s; today's run does not:\n%s", strings.TrimSpace(line), lines[0], out)
			}
		}
	}
}

var number = regexp.MustCompile(`[0-9]`)

// opening is what a line begins with: a mark and its word, or one word, without numbers.
func opening(line string) string {
	words := strings.Fields(line)
	switch {
	case len(words) == 0:
		return ""
	case len(words) > 1 && (words[0] == "✓" || words[0] == "✗"):
		return words[0] + " " + words[1]
	}
	return number.ReplaceAllString(words[0], "N")
}

// staleWithUsers sets 60 % while one of two gateways hears nothing, and sends load that stands for users' requests until end
// is called.
func staleWithUsers(t *testing.T, s *sandbox.Sandbox, path string) (end func()) {
	t.Helper()
	if err := s.Hold(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	_ = pluginOn(t.Context(), s, path, "set", "demoapp", "stage=60", "--timeout=1s").Run() // never live everywhere; by then the other has it
	users := exec.CommandContext(t.Context(), filepath.Join(path, "mesh-verify"), "load", s.GatewayURL(), "--rate=800", "--max-requests=60000", "--max-time=60s")
	if err := users.Start(); err != nil {
		t.Fatal(err)
	}
	return func() {
		_ = users.Process.Signal(os.Interrupt) // it drains, and ends with 130
		_ = users.Wait()
		if err := s.Release(t.Context(), 1); err != nil {
			t.Error(err)
		}
	}
}
