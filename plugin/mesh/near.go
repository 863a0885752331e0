package mesh

import "strings"

// Near is the name of have that somebody who typed name most likely meant, or "". A name is near when one contains the
// other, or when at most a third of its letters differ.
func Near(name string, have []string) string {
	best, least := "", len(name)/3+1
	for _, candidate := range have {
		d := distance(strings.ToLower(name), strings.ToLower(candidate))
		if len(name) >= 3 && (strings.Contains(candidate, name) || strings.Contains(name, candidate)) {
			d = min(d, 1)
		}
		if d < least || (best == "" && d <= least) {
			best, least = candidate, d
		}
	}
	return best
}

// distance counts the edits of one letter (put, drop, change) between a and b: Levenshtein's, by the usual two rows.
func distance(a, b string) int {
	previous := make([]int, len(b)+1)
	for j := range previous {
		previous[j] = j
	}
	for i := range len(a) {
		current := make([]int, len(b)+1)
		current[0] = i + 1
		for j := range len(b) {
			change := previous[j]
			if a[i] != b[j] {
				change++
			}
			current[j+1] = min(change, previous[j+1]+1, current[j]+1)
		}
		previous = current
	}
	return previous[len(b)]
}
