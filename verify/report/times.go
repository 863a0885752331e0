package report

import (
	"fmt"
	"io"
	"strings"
)

// Times says how long replies took, over all versions together: what a plain load generator is asked for. All in seconds.
type Times struct {
	Service   Quantiles  `json:"service"`            // first octet sent to last octet read
	Response  *Quantiles `json:"response,omitempty"` // planned start to last octet read; only at a constant rate
	Histogram []Bucket   `json:"histogram"`          // of service times, by rising edges of 1, 2 and 5 in each decade
}

// Quantiles are never low, and high by less than 0.79 %.
type Quantiles struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P75  float64 `json:"p75"`
	P90  float64 `json:"p90"`
	P95  float64 `json:"p95"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
}

// Bucket counts the times up to an edge, and above the edge before.
type Bucket struct {
	To    float64 `json:"to"`
	Count uint64  `json:"count"`
}

// WriteTimes writes the quantiles and a histogram, if the report has them.
func WriteTimes(w io.Writer, r *Verification) {
	t := r.Times
	if t == nil {
		return
	}
	row := func(name string, q *Quantiles) []string {
		return []string{name, Seconds(q.Mean), Seconds(q.P50), Seconds(q.P75), Seconds(q.P90), Seconds(q.P95), Seconds(q.P99), Seconds(q.P999), Seconds(q.Max)}
	}
	rows := [][]string{{"time", "mean", "50 %", "75 %", "90 %", "95 %", "99 %", "99.9 %", "max"}, row("service", &t.Service)}
	if t.Response != nil {
		rows = append(rows, row("response", t.Response))
	}
	WriteColumns(w, rows)
	if t.Response == nil {
		fmt.Fprint(w, "  note  without a rate, times hide how long a request would have waited for its turn\n\n")
	}
	var most uint64
	for _, b := range t.Histogram {
		most = max(most, b.Count)
	}
	rows = [][]string{{"service up to", "requests", ""}}
	for _, b := range t.Histogram {
		bar := strings.Repeat("#", int((b.Count*40+most-1)/most))
		rows = append(rows, []string{Seconds(b.To), Count(b.Count), fmt.Sprintf("%-40s", bar)})
	}
	WriteColumns(w, rows)
}
