package stats

import (
	"cmp"
	"math"
	"slices"
)

// EBH names which of several hypotheses are false, from the logarithms of their e-values: the m with the largest, where m
// is the largest r whose r-th largest e-value is at least J/(r a), J hypotheses. The expected fraction of wrong names among
// the names is at most a, however the e-values depend on each other. Indices come back sorted.
//
// Final e-values only: a running maximum of an e-process is not an e-value. Wang and Ramdas, False discovery rate control
// with e-values, JRSS-B 2022, arXiv:2009.02824.
func EBH(logE []float64, a float64) []int {
	order := make([]int, len(logE))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(logE[j], logE[i]) })
	m := 0
	for r := 1; r <= len(order); r++ {
		if logE[order[r-1]] >= math.Log(float64(len(order))/(float64(r)*a)) {
			m = r
		}
	}
	named := order[:m:m]
	slices.Sort(named)
	return named
}
