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

// awayMeans says who answers so.
var awayMeans = map[int]string{304: "a cache says that nothing has changed", 401: "somebody wants credentials", 403: "somebody forbids it", 429: "somebody limits the rate"}

// turnAway takes back a PASS where too many replies are of those who answer in place of a version or repeat one. A FAIL stands: what
// was seen did happen to whoever sent these requests.
func (f *findings) turnAway(out *Report) {
	s := &f.totals.Snapshot
	counts, all := s.Unversioned.Away, uint64(0)
	for i := range s.Versions {
		for j, n := range s.Versions[i].Away {
			counts[j] += n
		}
	}
	for o, n := range s.Outcomes {
		if load.Outcome(o).Complete() {
			all += n
		}
	}
	var said []string
	for i, n := range counts {
		if code := load.Away[i]; all > 0 && float64(n) > awayLimit*float64(all) {
			said = append(said, fmt.Sprintf("%s of the replies are %d: %s", report.Percent(float64(n)/float64(all), 2), code, awayMeans[code]))
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
