package vector

import (
	"os"
	"strings"
	"testing"
)

func TestWeights(t *testing.T) {
	data, err := os.ReadFile("../../../testdata/vectors-weights.json")
	if err != nil {
		t.Fatal(err)
	}
	passed, mismatches := CheckWeights(data)
	for _, m := range mismatches {
		t.Error(m)
	}
	if passed < 42 {
		t.Errorf("%d cases passed, want at least 42", passed)
	}
}

// The checker itself must be able to fail: one wrong number in an answer is one mismatch that names the case.
func TestWeightsChecks(t *testing.T) {
	data, err := os.ReadFile("../../../testdata/vectors-weights.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{
		{`"weights": [70, 30]`, `"weights": [71, 29]`},
		{`"before": ["9/10", "1/10"]`, `"before": ["8/10", "1/10"]`},
		{`"ops": [["replace", 0, 70], ["replace", 1, 30]]`, `"ops": [["replace", 0, 70]]`},
		{`"shares": ["7/10", "3/10"]`, `"shares": ["7/10"]`},
		{`E_NOT_100`, `E_OVER`},
	} {
		wrong := strings.Replace(string(data), change[0], change[1], 1)
		if _, m := CheckWeights([]byte(wrong)); len(m) != 1 || !strings.HasPrefix(m[0], "w0") {
			t.Errorf("with %s for %s: got mismatches %q, want one that names its case", change[1], change[0], m)
		}
	}
	if _, m := CheckWeights([]byte("{")); len(m) != 1 {
		t.Errorf("broken file: got %q, want one mismatch", m)
	}
}
