package report_test

import (
	"testing"

	"github.com/mesh-split/mesh-split/verify/report"
	"github.com/mesh-split/mesh-split/verify/verdict"
)

func TestFigures(t *testing.T) {
	for _, row := range []struct{ got, want string }{
		{report.Count(0), "0"},
		{report.Count(999), "999"},
		{report.Count(5240), "5 240"},
		{report.Count(1 << 53), "9 007 199 254 740 992"},
		{report.PerSecond(250), "250"},
		{report.PerSecond(1234.5), "1 235"},
		{report.PerSecond(49.83), "49.8"},
		{report.PerSecond(0.5), "0.5"}, // one request in two seconds is not none
		{report.PerSecond(1.0 / 60), "0.017"},
		{verdict.Confidence(0.95), "95 %"},
		{verdict.Confidence(0.9999999), "99.99999 %"}, // nothing is certain
		{report.Percent(0.7, 2), "70 %"},
		{report.Percent(1.0/3, 2), "33.33 %"},
		{report.Percent(-1e-9, 2), "0 %"}, // never "-0"
		{report.Exact(0.7, 1), "70.0 %"},
		{report.PointsUp(0.0191), "2 points"}, // a bound may not shrink in print
		{report.PointsUp(0.0181), "1.9 points"},
		{report.PointsUp(0.00981), "0.981 points"},
		{report.Seconds(0.000021), "21 µs"},
		{report.Seconds(0.0011), "1.1 ms"},
		{report.Seconds(0.131), "131 ms"},
		{report.Seconds(1), "1 s"},
		{report.Seconds(20.96), "21 s"},
		{report.Seconds(125), "2 min 5 s"},
		{report.Seconds(180), "3 min"},
		{report.Safe("v2"), "v2"},
		{report.Safe("v2\x1b[2J"), `v2\x1b[2J`},     // a label may not clear the reader's screen
		{report.Safe("v2\u202efdp"), `v2\u202efdp`}, // nor turn text around
	} {
		if row.got != row.want {
			t.Errorf("got %q, want %q", row.got, row.want)
		}
	}
}
