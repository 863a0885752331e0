package load

import (
	"testing"
	"time"
)

// One hiccup is no lateness, and a moment's work no load.
func TestLateWantsSamples(t *testing.T) {
	for _, row := range []struct {
		name          string
		starts, late  int
		overdue       uint64
		behind, busy  bool
		elapsed, work time.Duration
	}{
		{"one start of 50 late by 18 ms", 50, 1, 0, false, false, time.Second, 0},
		{"nine of 50", 50, 9, 0, false, false, time.Second, 0},
		{"ten of 50", 50, 10, 0, true, false, time.Second, 0},
		{"ten of 5000, less than a hundredth", 5000, 10, 0, false, false, time.Second, 0},
		{"none late, one never made", 5, 0, 1, true, false, time.Second, 0},
		{"busy for all of 79 µs", 5, 0, 0, false, false, 79 * time.Microsecond, 79 * time.Microsecond},
		{"busy for all of a second", 5, 0, 0, false, true, time.Second, time.Second},
	} {
		s := Snapshot{Overdue: row.overdue}
		for i := range row.starts {
			lag := 100 * time.Microsecond
			if i < row.late {
				lag = 18 * time.Millisecond
			}
			s.Lag.Record(lag)
		}
		if s.late() != row.behind {
			t.Errorf("%s: behind is %v", row.name, s.late())
		}
		var own ownNotes
		own.looped(row.elapsed, row.elapsed-row.work)
		if busy := own.read(row.elapsed).Busy > MaxBusy; busy != row.busy {
			t.Errorf("%s: busy is %v", row.name, busy)
		}
	}
}
