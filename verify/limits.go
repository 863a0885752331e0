package verify

import (
	"fmt"

	"github.com/mesh-split/mesh-split/verify/load"
	"github.com/mesh-split/mesh-split/verify/report"
)

// limits says where the generator itself fell short, with cause and remedy: its numbers are then partly its own doing.
func limits(s *load.Snapshot, l *report.Load) (all []report.Limit) {
	add := func(code, remedy, format string, args ...any) {
		all = append(all, report.Limit{Code: code, Message: fmt.Sprintf(format, args...), Remedy: remedy})
	}
	if s.Behind {
		overdue := ""
		if s.Overdue > 0 {
			overdue = fmt.Sprintf(", %s never made", report.Count(s.Overdue))
		}
		add("behind", behindRemedy(s, l), "the load fell behind its schedule: asked %s/s, sent %s/s; starts late by %s (p50), %s (p99), %s at most%s; cause: %s",
			report.PerSecond(s.RateAsked), report.PerSecond(l.RequestsPerSecond), report.Seconds(s.Lag.Quantile(0.5).Seconds()),
			report.Seconds(s.Lag.Quantile(0.99).Seconds()), report.Seconds(s.Lag.Max.Seconds()), overdue, s.Cause)
	}
	if s.Own.Busy > load.MaxBusy {
		add("busy", "lower --rate or --connections, or spread the load over workers (mesh-verify worker)",
			"this generator was busy %s of the time: latencies include our own queue", report.Percent(s.Own.Busy, 0))
	}
	if n := s.Own.NoPort; n > 0 {
		add("ports", load.RemedyPorts, "no local port was free for a connection, %s times", report.Count(n))
	}
	if n := s.Own.NoFile; n > 0 {
		add("descriptors", load.RemedyFiles, "no file descriptor was free for a connection, %s times", report.Count(n))
	}
	return all
}

// behindRemedy is what would keep the rate.
func behindRemedy(s *load.Snapshot, l *report.Load) string {
	switch {
	case s.Cause == load.CauseCPU:
		return "lower --rate, free this machine's processors for it, or spread the load over workers (mesh-verify worker)"
	case s.ConnectionsNeeded > l.Connections:
		return fmt.Sprintf("about %d connections would keep the rate: --connections %d", s.ConnectionsNeeded, s.ConnectionsNeeded)
	}
	return "the far side stopped answering for a while, and later starts waited: response times hold that waiting, service times do not"
}
