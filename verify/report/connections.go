package report

import (
	"fmt"
	"strings"
)

// connectionLines say what a person should know of the connections, none where they were kept. Some are always made anew: a
// gateway that drains, a limit on requests for each. It is news when every place was lost once on average.
func connectionLines(r *Verification) (lines []string) {
	if b := r.Load.Backoffs; len(b) > 0 {
		lines = append(lines, fmt.Sprintf("first slowed down after %s, from %s to %s requests/s: %s", Seconds(b[0].At), PerSecond(b[0].From), PerSecond(b[0].To), b[0].Cause))
	}
	e := r.Load.Events
	if e == nil {
		return lines
	}
	counts := func(pairs ...any) string {
		var list []string
		for i := 0; i < len(pairs); i += 2 {
			if n := pairs[i+1].(uint64); n > 0 {
				list = append(list, fmt.Sprintf("%s × %s", pairs[i], Count(n)))
			}
		}
		return strings.Join(list, ", ")
	}
	if n := e.Unsolicited + e.Surplus; n > 0 {
		lines = append(lines, fmt.Sprintf("octets nobody asked for (%s): some replies may have been taken for those of other requests; --peek looks before each request",
			counts("behind a reply", e.Surplus, "between requests", e.Unsolicited)))
	}
	if e.BothFramed > 0 {
		lines = append(lines, fmt.Sprintf("replies with Transfer-Encoding and Content-Length at once: %s", Count(e.BothFramed)))
	}
	if e.Opened > e.Reconnected+2*uint64(r.Load.Connections) {
		lines = append(lines, fmt.Sprintf("%s connections were opened for %s requests; lost: %s", Count(e.Opened), Count(r.Requests.Sent),
			counts("closed by a reply", e.SaidClose, "closed while idle", e.ClosedIdle, "after a broken reply", e.Failed, "octets nobody asked for", e.Surplus+e.Unsolicited)))
	}
	return lines
}
