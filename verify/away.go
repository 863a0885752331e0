package verify

import (
	"fmt"
	"strings"

	"github.com/mesh-split/mesh-split/verify/load"
	"github.com/mesh-split/mesh-split/verify/report"
	"github.com/mesh-split/mesh-split/verify/verdict"
)

// awayLimit is the part of the replies that may be somebody else's answer before shares say nothing of versions any more. A
// hundredth is a choice: half the smallest tolerance that is set by itself.
const awayLimit = 0.01

// away are the status codes by which something answers in place of a version, or repeats what one said before, and who that is.
var away = []struct {
	code int
	who  string
}{{304, "a cache says that nothing has changed"}, {401, "somebody wants credentials"}, {403, "somebody forbids it"}, {429, "somebody limits the rate"}}

// turnAway takes back a PASS where too many replies are of those who answer in place of a version or repeat one. A FAIL stands: what
// was seen did happen to whoever sent these requests.
func (f *findings) turnAway(out *Report) {
	s := &f.totals.Snapshot
	var all uint64
	for o, n := range s.Outcomes {
		if load.Outcome(o).Complete() {
			all += n
		}
	}
	var said []string
	for _, a := range away {
		n := s.Unversioned.Codes[a.code]
		for i := range s.Versions {
			n += s.Versions[i].Codes[a.code]
		}
		if all > 0 && float64(n) > awayLimit*float64(all) {
			said = append(said, fmt.Sprintf("%s of the replies are %d: %s", report.Percent(float64(n)/float64(all), 2), a.code, a.who))
		}
	}
	if len(said) == 0 {
		return
	}
	reason := report.Reason{Code: verdict.CodeTurnedAway, Message: strings.Join(said, "; ")}
	if out.Verdict == verdict.Pass.String() {
		out.Verdict = verdict.Inconclusive.String()
		out.Reasons = append([]report.Reason{reason}, out.Reasons...)
		return
	}
	out.Reasons = append(out.Reasons, reason)
}
