package main

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// tables prints Markdown and keeps the numbers that are not as they must be.
type tables struct {
	sim
	w      io.Writer
	broken []string
}

func (t *tables) text(format string, args ...any) { fmt.Fprintf(t.w, "\n"+format+"\n", args...) }

func (t *tables) head(columns ...string) {
	fmt.Fprintf(t.w, "\n| %s |\n|%s\n", strings.Join(columns, " | "), strings.Repeat("---|", len(columns)))
}

func (t *tables) row(cells ...string) { fmt.Fprintf(t.w, "| %s |\n", strings.Join(cells, " | ")) }

// share counts the true ones.
func share(hits []bool) float64 {
	n := 0
	for _, h := range hits {
		if h {
			n++
		}
	}
	return float64(n) / float64(len(hits))
}

// promised checks an error rate against the alpha that is promised for it.
func (t *tables) promised(name string, rate, alpha float64) {
	se := math.Sqrt(alpha * (1 - alpha) / float64(t.runs))
	if rate > alpha+4*se {
		t.broken = append(t.broken, fmt.Sprintf("%s: %s is more than four standard errors above %s", name, percent(rate), percent(alpha)))
	}
}

// below checks a mean against its reference.
func (t *tables) below(name string, x sample, reference float64) {
	if m, se := x.mean(), x.standardError(); m > reference+4*se {
		t.broken = append(t.broken, fmt.Sprintf("%s: mean %.1f is more than four standard errors (%.1f) above the reference, %v", name, m, se, reference))
	}
}

// near is below for a reference that is itself the mean of few runs, and no surer than that.
func (t *tables) near(name string, x sample, reference float64, runs int) {
	own := x.standardError()
	other := own * math.Sqrt(float64(len(x))/float64(runs))
	if m, se := x.mean(), math.Hypot(own, other); m > reference+4*se {
		t.broken = append(t.broken, fmt.Sprintf("%s: mean %.1f is more than four standard errors (%.1f) above the reference, %v", name, m, se, reference))
	}
}

// percent writes a rate with two significant digits or one decimal.
func percent(x float64) string {
	places := 1
	if x > 0 && x < 0.01 {
		places = 2
	}
	return strconv.FormatFloat(100*x, 'f', places, 64) + " %"
}

func whole(x float64) string {
	if math.IsNaN(x) {
		return "-"
	}
	return strconv.FormatFloat(x, 'f', 0, 64)
}
