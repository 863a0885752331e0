package screen

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/mesh-split/mesh-split/verify/report"
)

// Screen is where a verb talks to a person.
type Screen struct {
	out io.Writer // lines for people
	err io.Writer // warnings
}

// New makes a Screen. With document the lines go to stderr, for stdout belongs to the document.
func New(stdout, stderr io.Writer, document bool) *Screen {
	if document {
		return &Screen{out: stderr, err: stderr}
	}
	return &Screen{out: stdout, err: stderr}
}

// Out is where lines for people go.
func (s *Screen) Out() io.Writer { return s.out }

// Line writes one line. Text that came from a cluster must be passed through report.Safe by the caller.
func (s *Screen) Line(format string, args ...any) { fmt.Fprintf(s.out, format+"\n", args...) }

// Done ticks a phase off.
func (s *Screen) Done(phase, format string, args ...any) { s.phase("✓", phase, format, args...) }

// Broken crosses a phase out.
func (s *Screen) Broken(phase, format string, args ...any) { s.phase("✗", phase, format, args...) }

// Left notes a phase that was left out and that nothing waits for.
func (s *Screen) Left(phase, format string, args ...any) { s.phase("–", phase, format, args...) }

func (s *Screen) phase(mark, phase, format string, args ...any) {
	fmt.Fprintf(s.out, " %s %-14s %s\n", mark, phase, fmt.Sprintf(format, args...))
}

// Say writes a line that begins with a word in a column of its own, like the verdict and the way back.
func (s *Screen) Say(word, format string, args ...any) {
	fmt.Fprintf(s.out, "%-5s %s\n", word, fmt.Sprintf(format, args...))
}

// Snippet writes text that is to be copied, such as YAML, indented below a heading. Control characters are made harmless, the
// line ends stay.
func (s *Screen) Snippet(heading, text string) {
	s.Line("%s", heading)
	for line := range strings.Lines(text) {
		s.Line("    %s", report.Safe(strings.TrimRight(line, "\n")))
	}
}

// Columns writes text in columns under a header, flush left; what came from a cluster is made safe.
func (s *Screen) Columns(header []string, rows [][]string) {
	widths := make([]int, len(header))
	all := append([][]string{header}, rows...)
	for _, row := range all {
		for i := range row {
			row[i] = report.Safe(row[i])
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
		}
	}
	for _, row := range all {
		line := " "
		for i, cell := range row {
			line += " " + cell + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+1)
		}
		s.Line("%s", strings.TrimRight(line, " "))
	}
}

// Warn writes to stderr, in any mode.
func (s *Screen) Warn(format string, args ...any) {
	fmt.Fprintf(s.err, "warning: %s\n", fmt.Sprintf(format, args...))
}

// Title joins facts about what is touched by middle dots.
func (s *Screen) Title(facts ...string) {
	for i := range facts {
		facts[i] = report.Safe(facts[i])
	}
	s.Line("%s", strings.Join(facts, " · "))
}
