package measure

import "github.com/mesh-split/mesh-split/plugin/route"

// Bends are the fields of an entry that stand between what a version does and what clients see, in words for the report.
// Retries stay with the version that was drawn, so the split is not bent, but failures are hidden
// (https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPRetry).
func Bends(e route.Entry) []string {
	var list []string
	if retries, ok := e.Raw["retries"].(map[string]any); ok && !isZero(retries["attempts"]) {
		list = append(list, "the route retries failing requests: errors are counted after that, and hide what a version really fails")
	}
	if fault, ok := e.Raw["fault"].(map[string]any); ok && len(fault) > 0 {
		list = append(list, "the route injects faults: a part of the requests never reaches a version")
	}
	return list
}

// isZero says whether a decoded JSON number is there and 0.
func isZero(v any) bool {
	switch n := v.(type) {
	case int64:
		return n == 0
	case float64:
		return n == 0
	}
	return false
}
