package fault_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/mesh-split/mesh-split/verify/fault"
)

func TestExitCode(t *testing.T) {
	for _, row := range []struct {
		name string
		err  error
		want fault.Code
	}{
		{"nothing went wrong", nil, 0},
		{"an error of another package", errors.New("disk full"), 1},
		{"wrong usage", fault.Usagef("", "no target"), 2},
		{"a verdict", fault.Verdict{Exit: fault.Fail}, 3},
		{"a verdict on its way up", fmt.Errorf("step 2: %w", fault.Verdict{Exit: fault.Inconclusive}), 4},
		{"a refusal wrapped twice", fmt.Errorf("a: %w", fmt.Errorf("b: %w", fault.New(fault.Refused, "", "no"))), 5},
		{"a person is needed", fault.New(fault.NeedsPerson, "", "revert failed"), 6},
		{"Ctrl-C deep inside", fmt.Errorf("polling: %w", context.Canceled), 130},
		{"of several, the first that knows its code", errors.Join(errors.New("x"), fault.Usagef("", "y")), 2},
		{"an Error nobody gave a code is never success", &fault.Error{Err: errors.New("x")}, 1},
	} {
		if got := fault.ExitCode(row.err); got != row.want {
			t.Errorf("%s: exit code of %v is %d, want %d", row.name, row.err, got, row.want)
		}
	}
}

func TestPrint(t *testing.T) {
	for _, row := range []struct {
		name string
		err  error
		want string
	}{
		{"nothing", nil, ""},
		{"a verdict is an answer: the report said it", fault.Verdict{Exit: fault.Fail}, ""},
		{"with a hint", fault.Usagef("write --rate 250", "rate %q", "x"), "error: rate \"x\"\nhint: write --rate 250\n"},
		{"context in front, hint kept", fmt.Errorf("reading: %w", fault.New(1, "look", "gone")), "error: reading: gone\nhint: look\n"},
		{"every fault at once", errors.Join(fault.Usagef("h", "a"), errors.New("b")), "error: a\nhint: h\nerror: b\n"},
	} {
		var b strings.Builder
		fault.Print(&b, row.err)
		if b.String() != row.want {
			t.Errorf("%s:\ngot  %q\nwant %q", row.name, b.String(), row.want)
		}
	}
}
