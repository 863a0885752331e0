package cli

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/mesh-split/mesh-split/verify"
	"github.com/mesh-split/mesh-split/verify/report"
)

// View shows a run on stderr while it goes: first where the load goes, then, on a terminal only, one line that is
// rewritten. It never clears what it did not write.
type View struct {
	out      io.Writer
	terminal bool
	shown    bool
	last     time.Time
	warned   []string // said before the load
}

// NewView makes a View; only a character device gets the line that is rewritten.
func NewView(out io.Writer) *View {
	v := &View{out: out}
	if f, ok := out.(*os.File); ok {
		info, err := f.Stat()
		v.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
	}
	return v
}

// Announce says where the load goes and how much at most, before the first connection.
func (v *View) Announce(l report.Load, p verify.Plan) {
	fmt.Fprintln(v.out, LoadLine(l, p))
	v.Warn(l, p)
}

// Warn says what is to be known before the first request, for those who have said where the load goes.
func (v *View) Warn(l report.Load, p verify.Plan) {
	if l.Insecure {
		fmt.Fprintln(v.out, "warning: the certificate is not verified (--insecure): whoever answers is believed")
	}
	v.warned = p.Warnings
	for _, w := range p.Warnings {
		fmt.Fprintf(v.out, "warning: %s\n", w)
	}
}

// Unsaid takes the warnings that were said before the load out of a report that is about to be read.
func (v *View) Unsaid(r *verify.Report) {
	r.Warnings = slices.DeleteFunc(r.Warnings, func(w string) bool { return slices.Contains(v.warned, w) })
}

// LoadLine is one line about a load to come: address, request, rate and caps.
func LoadLine(l report.Load, p verify.Plan) string {
	rate := "as fast as replies come"
	if l.RateAsked > 0 {
		rate = report.PerSecond(l.RateAsked) + " requests/s"
	}
	host := ""
	if l.Host != "" && !strings.Contains(l.URL, "://"+l.Host) {
		host = " (host " + report.Safe(l.Host) + ")"
	}
	line := fmt.Sprintf("load to %s%s, %s, %s, at most %s requests and %s",
		report.Safe(l.URL), host, l.Method, rate, report.Count(p.MaxRequests), report.Seconds(p.MaxSeconds))
	if p.Requests > 0 {
		line += fmt.Sprintf("; about %s needed", report.Count(p.Requests))
	}
	return line
}

// Progress rewrites the line.
func (v *View) Progress(p verify.Progress) {
	if !v.terminal || time.Since(v.last) < 90*time.Millisecond {
		return
	}
	v.last = time.Now()
	fmt.Fprintf(v.out, "\r\x1b[K%s", progressLine(p))
	v.shown = true
}

// Close takes the line away.
func (v *View) Close() {
	if v.shown {
		fmt.Fprint(v.out, "\r\x1b[K")
		v.shown = false
	}
}

func progressLine(p verify.Progress) string {
	phase := fmt.Sprintf("measuring %3.0f s", p.Elapsed.Seconds())
	if p.Elapsed < 0 {
		phase = "settling"
	}
	if p.Draining {
		phase = "waiting for replies"
	}
	var shares []string
	for i, name := range p.Versions {
		if i < 4 && i < len(p.Shares) {
			shares = append(shares, fmt.Sprintf("%s %s", report.Safe(name), report.Exact(p.Shares[i], 1)))
		}
	}
	return fmt.Sprintf("   %s  %s requests  %s  %s errors", phase, report.Count(p.Evidence), strings.Join(shares, "  "), report.Count(p.Errors))
}
