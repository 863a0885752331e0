package verify

import (
	"github.com/mesh-split/mesh-split/verify/load"
	"github.com/mesh-split/mesh-split/verify/report"
)

// What became of connections, in the words of a report.

func events(s *load.Snapshot) *report.ConnectionEvents {
	c := &s.Connections
	if *c == (load.ConnectionEvents{}) {
		return nil
	}
	return &report.ConnectionEvents{Opened: c.Opened, ClosedIdle: c.ClosedIdle, SaidClose: c.SaidClose, Failed: c.Failed,
		Unsolicited: c.Unsolicited, Surplus: c.Surplus, BothFramed: c.BothFramed, Reconnected: c.Reconnected}
}

func backoffs(s *load.Snapshot) (list []report.Backoff) {
	for _, b := range s.Backoffs {
		list = append(list, report.Backoff{At: b.At.Seconds(), Cause: b.Cause, From: b.From, To: b.To})
	}
	return list
}

func examples(s *load.Snapshot) map[string]string {
	var named map[string]string
	for o, text := range s.Examples {
		if text == "" {
			continue
		}
		if named == nil {
			named = map[string]string{}
		}
		named[load.Outcome(o).String()] = text
	}
	return named
}
