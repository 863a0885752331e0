// Package fault is the one kind of error that people read: what went wrong in their words, what to do about it, and the
// exit code that pipelines see.
//
// It answers "how does this end?" for every program of the project. It takes errors of any kind and gives an exit code
// and the two lines that are printed. It refuses to know commands, flags and clusters; whoever makes an Error writes the
// hint. The one subtle point: a FAIL verdict is a measurement, not an error, so its code is here (verify and plugin return
// it through [Verdict]) while nothing is printed for it on stderr.
package fault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/mesh-split/mesh-split/verify/safe"
)

// Code is the exit status of a program. Scripts rely on the numbers; they never change.
type Code int

// The exit codes.
const (
	Done         Code = 0   // done, and PASS where something was measured
	Failed       Code = 1   // an error: cluster, gateway, input or output
	Usage        Code = 2   // wrong usage; nothing was sent or written
	Fail         Code = 3   // measured outside the tolerance, or a version fails
	Inconclusive Code = 4   // the measurement did not settle the question
	Refused      Code = 5   // a check or the ownership guard said no
	NeedsPerson  Code = 6   // a revert failed or could not be verified
	Interrupted  Code = 130 // Ctrl-C or SIGTERM: 128 + SIGINT, as shells report it
)

// Error is an error with an exit code and, where there is one, a remedy.
type Error struct {
	Exit Code   // the zero value reads as Failed
	Name string // machine name such as E_UNKNOWN_DEST, or empty; shown in JSON, not in the text
	Hint string // a command or a flag that helps, or empty; printed on its own line
	Err  error  // what happened, general part first, lower case, no full stop
}

// New makes an Error of the given exit code from a format as in [fmt.Errorf].
func New(exit Code, hint, format string, args ...any) *Error {
	return &Error{Exit: exit, Hint: hint, Err: fmt.Errorf(format, args...)}
}

// Usagef makes a wrong-usage Error: nothing was sent or written, and the message names the flag to change.
func Usagef(hint, format string, args ...any) *Error { return New(Usage, hint, format, args...) }

// Named gives the error a machine name, such as those of the route rules (E_OVER), and returns it.
func (e *Error) Named(name string) *Error { e.Name = name; return e }

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// Verdict is returned by a command whose measurement ended in something else than PASS: the report is already on
// stdout, so nothing more is printed. It is the only "error" that is an answer.
type Verdict struct{ Exit Code }

func (v Verdict) Error() string { return fmt.Sprintf("verdict with exit code %d", int(v.Exit)) }

// ExitCode turns any error into the exit code: nil is Done; an [Error] anywhere in the chain brings its own, of several
// joined ones the first; a cancelled context is Interrupted; everything else is Failed.
func ExitCode(err error) Code {
	var v Verdict
	var e *Error
	switch {
	case err == nil:
		return Done
	case errors.As(err, &v):
		return v.Exit
	case errors.As(err, &e):
		if e.Exit == Done {
			return Failed
		}
		return e.Exit
	case errors.Is(err, context.Canceled):
		return Interrupted
	}
	return Failed
}

// Print writes err as people read it, "error: …" and "hint: …" lines, each fault of a joined error by itself; nothing
// for nil or a [Verdict].
func Print(w io.Writer, err error) {
	if err == nil || errors.As(err, new(Verdict)) {
		return
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range joined.Unwrap() {
			Print(w, one)
		}
		return
	}
	fmt.Fprintf(w, "error: %s\n", safe.Lines(strings.TrimRight(err.Error(), "\n"))) // it may quote what a server or an argument said
	var e *Error
	if errors.As(err, &e) && e.Hint != "" {
		fmt.Fprintf(w, "hint: %s\n", safe.Lines(e.Hint))
	}
}
