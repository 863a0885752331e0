package report

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Count groups thousands by spaces: 5240 reads "5 240".
func Count(n uint64) string {
	s := strconv.FormatUint(n, 10)
	var b strings.Builder
	for i, c := range s {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(c)
	}
	return b.String()
}

// PerSecond writes a rate, which may be below one: 250 reads "250", 0.5 "0.5".
func PerSecond(x float64) string {
	switch {
	case x >= 100 || x == math.Trunc(x):
		return Count(uint64(math.Round(x)))
	case x >= 1:
		return trimmed(x, 1)
	}
	return strconv.FormatFloat(x, 'g', 2, 64)
}

// Percent writes a fraction with the fewest decimals, at most places, that still show it: 0.7 reads "70 %".
func Percent(x float64, places int) string { return trimmed(100*x, places) + " %" }

// Exact writes a fraction with exactly so many decimals: 0.701 with 1 reads "70.1 %".
func Exact(x float64, places int) string { return strconv.FormatFloat(100*x, 'f', places, 64) + " %" }

// PointsUp writes a distance between shares, 0.0191 as "2 points", rounded up to one decimal (three below one point): a bound
// may not shrink in print.
func PointsUp(x float64) string {
	p, scale := 100*x, 10.0
	if p < 1 {
		scale = 1000
	}
	p = math.Ceil(p*scale-1e-9) / scale
	if p == 1 {
		return "1 point"
	}
	return trimmed(p, 3) + " points"
}

func trimmed(x float64, places int) string {
	s := strconv.FormatFloat(x, 'f', places, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	if s == "-0" {
		return "0"
	}
	return s
}

// roundCount keeps two figures, rounding up: an estimate should not look like a measurement.
func roundCount(n uint64) uint64 {
	step := uint64(1)
	for n/step >= 100 {
		step *= 10
	}
	return (n + step - 1) / step * step
}

// Seconds writes a duration in the unit a person would say: "1.1 ms", "21 s", "2 min 5 s".
func Seconds(s float64) string {
	switch {
	case s < 0.0995e-3:
		return strconv.FormatFloat(s*1e6, 'f', 0, 64) + " µs"
	case s < 0.00995:
		return strconv.FormatFloat(s*1e3, 'f', 1, 64) + " ms"
	case s < 0.9995:
		return strconv.FormatFloat(s*1e3, 'f', 0, 64) + " ms"
	case s < 9.95:
		return trimmed(s, 1) + " s"
	case s < 119.5:
		return strconv.FormatFloat(s, 'f', 0, 64) + " s"
	}
	d := time.Duration(math.Round(s)) * time.Second
	min, sec := int(d.Minutes()), int(d.Seconds())%60
	if sec == 0 {
		return strconv.Itoa(min) + " min"
	}
	return strconv.Itoa(min) + " min " + strconv.Itoa(sec) + " s"
}
