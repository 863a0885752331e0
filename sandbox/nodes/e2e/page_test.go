//go:build linux

package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// docs/playground.md is the story: most chapters run the commands of one of its sections, as a reader would type them, and
// hold what is shown there against what is printed here. MESH_SPLIT_E2E_RECORD=1 writes what is printed into the page
// instead; a person reads the diff.
const pageFile = "docs/playground.md"

// session is one command of the page with the lines shown below it.
type session struct {
	line  int // of the command in the page
	typed string
	shown []string
}

var (
	heading = regexp.MustCompile(`^## (.*)`)
	prompt  = regexp.MustCompile(`^    \$ (.*)`)
	inBlock = regexp.MustCompile(`^(    .*)?$`)
)

// sessions are the commands of a section of the page, in their order.
func sessions(page []string, section string) (found []session) {
	here := false
	for i := 0; i < len(page); i++ {
		if h := heading.FindStringSubmatch(page[i]); h != nil {
			here = h[1] == section
		}
		typed := prompt.FindStringSubmatch(page[i])
		if !here || typed == nil {
			continue
		}
		s := session{line: i, typed: typed[1]}
		for _, next := range page[i+1:] {
			if !inBlock.MatchString(next) || prompt.MatchString(next) {
				break
			}
			s.shown = append(s.shown, strings.TrimPrefix(next, "    "))
		}
		s.shown = trimmed(s.shown)
		found = append(found, s)
	}
	return found
}

// trimmed is lines without the empty ones at the end.
func trimmed(lines []string) []string {
	for len(lines) > 0 && strings.TrimSpace(lines[len(lines)-1]) == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

func pageLines(t *testing.T, repository string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, pageFile))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(text), "\n")
}

const elided = "…"

// walk runs the commands of a section of the page.
func (w world) walk(t *testing.T, section string) {
	t.Helper()
	all := sessions(pageLines(t, w.repository), section)
	if len(all) == 0 {
		t.Fatalf("%s has no commands under %q", pageFile, section)
	}
	for i, s := range all {
		var printed, missing []string
		var ended bool
		try := func() bool {
			printed, ended = w.typed(t, s)
			missing = append(lacking(s.shown, printed), surplus(s.shown, printed)...)
			return ended && len(missing) == 0
		}
		// A single request draws its version, and a rule takes a moment to reach the pods: curl is asked again until it shows
		// what the page does. Everything else is typed once.
		if !try() && strings.HasPrefix(s.typed, "curl ") {
			eventually(try)
		}
		if !ended {
			t.Fatalf("%s:%d: %s: another exit code than the page says", pageFile, s.line+1, s.typed)
		}
		if recording() {
			w.record(t, section, i, printed)
		} else if len(missing) > 0 {
			t.Errorf("%s:%d and what is printed after %q differ by\n\t%s\nprinted was:\n%s", pageFile, s.line+1, s.typed,
				strings.Join(missing, "\n\t"), strings.Join(printed, "\n"))
		}
	}
}

func recording() bool { return os.Getenv("MESH_SPLIT_E2E_RECORD") == "1" }

var (
	gatewayAddress = regexp.MustCompile(`http://10\.89\.0\.1:\d+`)
	measures       = regexp.MustCompile(`^(mesh-verify http|kubectl mesh-split (verify |.* --verify))`)
	// A command that is meant to end otherwise says so behind itself, where a shell reads a comment.
	ends = regexp.MustCompile(`\s+# exit code (\d+)$`)
)

// typed runs a command as a reader types it, at this cluster's address, and gives the lines it printed. It must end as the
// page says. Held against the page, what measures must also be sure; recorded it is typed as is.
func (w world) typed(t *testing.T, s session) (printed []string, ended bool) {
	t.Helper()
	line, want := gatewayAddress.ReplaceAllString(s.typed, w.GatewayURL()), 0
	if code := ends.FindStringSubmatch(line); code != nil {
		line = strings.TrimSuffix(line, code[0])
		want, _ = strconv.Atoi(code[1])
	}
	if measures.MatchString(line) && !recording() {
		line += " " + strings.Join(sure, " ")
	}
	cmd := w.Command(t.Context(), "bash", "-c", line)
	cmd.Dir = w.repository
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	code := cmd.ProcessState.ExitCode()
	t.Logf("$ %s\n%s[exit %d, want %d]", line, out, code, want)
	return trimmed(strings.Split(strings.ReplaceAll(string(out), "\r\n", "\n"), "\n")), code == want
}

// lacking are the shown lines that were not printed, in that order.
func lacking(shown, printed []string) (missing []string) {
	rest := printed
	for _, line := range shown {
		if line == elided {
			continue
		}
		at := slices.IndexFunc(rest, func(candidate string) bool { return shape(candidate) == shape(line) })
		if at < 0 {
			missing = append(missing, line)
			continue
		}
		rest = rest[at+1:]
	}
	return missing
}

// surplus are printed lines of a kind that the page does not show although it leaves nothing out. Notes come and go with the
// machine's speed, each with a line on what helps.
func surplus(shown, printed []string) (found []string) {
	known := map[string]bool{}
	for _, line := range shown {
		known[shape(line)] = true
	}
	for i, line := range printed {
		note := strings.HasPrefix(strings.TrimSpace(line), "note ") ||
			i > 0 && strings.HasPrefix(strings.TrimSpace(printed[i-1]), "note ") && strings.HasPrefix(line, "        ")
		if !known[elided] && !known[shape(line)] && !note && strings.TrimSpace(line) != "" {
			found = append(found, line)
		}
	}
	return found
}

var (
	podName  = regexp.MustCompile(`-[0-9a-f]{6,10}-[0-9a-z]{5}\b`)
	httpDate = regexp.MustCompile(`\b[A-Z][a-z]{2}, \d+ [A-Z][a-z]{2} \d+`)
	age      = regexp.MustCompile(`\b(\d+[hms])+\b`)
	digits   = regexp.MustCompile(`\d+`)
	numbers  = regexp.MustCompile(`N([ .,:]N)+`)
	times    = regexp.MustCompile(`N (ms|s|µs)\b`)
	// Lines of which only the beginning is the same each time: budgets differ with the test's own flags, and what is said of the
	// arrival depends on how far apart the replies were.
	loose = []string{"load to", "PASS", "sure", "✓ arrived"}
)

// shape is a line without what differs from run to run: numbers, dates, the names of pods, the width of columns.
func shape(line string) string {
	line = strings.Join(strings.Fields(line), " ")
	for _, beginning := range loose {
		if strings.HasPrefix(line, beginning) {
			return beginning
		}
	}
	line = podName.ReplaceAllString(line, "-POD")
	line = httpDate.ReplaceAllString(line, "DATE")
	line = age.ReplaceAllString(line, "AGE")
	line = digits.ReplaceAllString(line, "N")
	line = numbers.ReplaceAllString(line, "N")
	return times.ReplaceAllString(line, "N time")
}

// record writes what the command printed below it into the page: all of it, or where something is left out there, the same
// lines as before.
func (w world) record(t *testing.T, section string, i int, printed []string) {
	t.Helper()
	page := pageLines(t, w.repository)
	s := sessions(page, section)[i]
	lines := printed
	for _, line := range s.shown {
		if line == elided {
			lines = abridged(s.shown, printed)
			break
		}
	}
	out := append([]string{}, page[:s.line+1]...)
	for _, line := range lines {
		out = append(out, strings.TrimRight("    "+line, " "))
	}
	out = append(out, page[s.line+1+len(s.shown):]...)
	text := gatewayAddress.ReplaceAllString(strings.Join(out, "\n"), w.GatewayURL()) // one address in all the page
	if err := os.WriteFile(filepath.Join(w.repository, pageFile), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// abridged picks from what was printed the lines that begin as the shown ones do.
func abridged(shown, printed []string) (out []string) {
	beginning := func(line string) string {
		words := strings.Fields(line)
		if len(words) > 1 && words[0] == "✓" {
			return words[0] + words[1]
		}
		if len(words) == 0 {
			return ""
		}
		return digits.ReplaceAllString(words[0], "N")
	}
	rest := printed
	for _, line := range shown {
		if line == elided {
			out = append(out, line)
			continue
		}
		for i, candidate := range rest {
			if beginning(candidate) == beginning(line) {
				out, rest = append(out, candidate), rest[i+1:]
				break
			}
		}
	}
	return out
}
