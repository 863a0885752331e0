package vector

import (
	"encoding/json"
	"strings"
)

// Check runs the cases of one vector file: how many agreed, and a line for each difference.
type Check func(data []byte) (passed int, mismatches []string)

// Kind tells by its shape what checks a file; nil for an unknown shape.
func Kind(data []byte) Check {
	var object map[string]json.RawMessage
	if json.Unmarshal(data, &object) == nil {
		var schema string
		_ = json.Unmarshal(object["schema"], &schema)
		switch {
		case strings.HasPrefix(schema, "mesh-split/statistics-vectors/"):
			return CheckStatistics
		case strings.HasPrefix(schema, "mesh-split/weight-vectors/"):
			return CheckWeights
		}
		for list := range statistics { // a file of its lists without a head
			if _, ok := object[list]; ok {
				return CheckStatistics
			}
		}
	}
	var cases []struct{ Segments []string }
	if json.Unmarshal(data, &cases) == nil && len(cases) > 0 && cases[0].Segments != nil {
		return CheckHTTP1
	}
	return nil
}

// Failed is how many cases the lines of a check speak of: a case may differ in several fields.
func Failed(mismatches []string) int {
	seen := map[string]bool{}
	for _, m := range mismatches {
		name, _, _ := strings.Cut(m, ": ")
		seen[name] = true
	}
	return len(seen)
}
