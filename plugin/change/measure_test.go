package change

import (
	"errors"
	"testing"

	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/report"
)

// Who interrupts the second route has a verdict of the first.
func TestMeasured(t *testing.T) {
	done := func(label string) Route { return Route{Route: label, Verification: &report.Verification{}} }
	for _, row := range []struct {
		routes []Route
		want   string
	}{
		{[]Route{{Route: "http[0]"}}, "nothing was measured"},
		{[]Route{{Route: "http[0] api"}, {Route: "http[1] pages"}}, "nothing was measured"},
		{[]Route{done("http[0] api"), {Route: "http[1] pages"}}, "measured was http[0] api, but not http[1] pages"},
		{[]Route{done("http[0]"), done("http[1]"), {Route: "http[2]"}, {Route: "http[3]\x1b"}}, `measured was http[0], http[1], but not http[2], http[3]\x1b`},
	} {
		if got := measured(row.routes); got != row.want {
			t.Errorf("%+v: %q, want %q", row.routes, got, row.want)
		}
	}
}

// Of several routes the worst outcome is that of the change, and the first of equals: its words are what the person reads.
func TestWorse(t *testing.T) {
	pass := outcome{verdict: "pass"}
	failed := outcome{verdict: "fail", exit: fault.Fail, when: "fail"}
	open := outcome{verdict: "inconclusive", exit: fault.Inconclusive, when: "inconclusive"}
	asPass := outcome{verdict: "inconclusive", exit: fault.Done, when: "inconclusive"} // --inconclusive-as pass: the exit code is bent, the verdict is not
	broken := outcome{verdict: "inconclusive", exit: fault.Failed, err: errors.New("gateway unreachable"), when: "inconclusive"}
	late := outcome{verdict: "not-live", exit: fault.Inconclusive, when: "inconclusive"}
	stopped := outcome{exit: fault.Interrupted, when: "interrupted"}
	for _, row := range []struct {
		name    string
		o, than outcome
		want    bool
	}{
		{"a FAIL outweighs a PASS", failed, pass, true},
		{"and what could not be settled", failed, open, true},
		{"which outweighs a PASS", open, pass, true},
		{"whatever exit code it is given", asPass, pass, true},
		{"as does a measurement that was not possible", broken, pass, true},
		{"and a change that did not become live", late, pass, true},
		{"an interruption ends everything", stopped, failed, true},
		{"nothing that went well is worse", pass, open, false},
		{"an error is no FAIL", broken, failed, false},
		{"nothing outweighs an interruption", failed, stopped, false},
		{"of two that fail the first stays", failed, failed, false},
		{"of two that are open likewise", broken, open, false},
		{"of two that pass likewise", pass, pass, false},
	} {
		if got := row.o.worse(row.than); got != row.want {
			t.Errorf("%s: worse = %v, want %v", row.name, got, row.want)
		}
	}
}
