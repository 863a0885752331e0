package vector

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Every file of vectors is recognised by its shape, and every case agrees.
func TestVectors(t *testing.T) {
	for _, name := range []string{"vectors-statistics.json", "vectors-http1.json", "vectors-weights.json"} {
		t.Run(name, func(t *testing.T) {
			data := read(t, name)
			check := Kind(data)
			if check == nil {
				t.Fatal("the shape of the file is not recognised")
			}
			passed, mismatches := check(data)
			for _, m := range mismatches {
				t.Error(m)
			}
			if passed == 0 {
				t.Error("no case agreed")
			}
		})
	}
	for _, text := range []string{``, `{}`, `[]`, `{"schema": "mesh-split/other/v1"}`, `[{"name": "no segments"}]`} {
		if Kind([]byte(text)) != nil {
			t.Errorf("%q was taken for a file of vectors", text)
		}
	}
}

// A check that cannot fail checks nothing: a changed expectation must be found, one per list.
func TestStatisticsNoticesChanges(t *testing.T) {
	data := read(t, "vectors-statistics.json")
	total, _ := CheckStatistics(data)
	for _, tc := range []struct{ old, new string }{
		{`"value":-0.69314718055994530942`, `"value":-0.69314718085994530942`},
		{`"ln_e":-0.54672141456404`, `"ln_e":-0.54672142456404`},
		{`"ln_e":"+Inf"`, `"ln_e":700`},
		{`"lo":0.65162981386993032468`, `"lo":0.65162991386993032468`},
		{`"ln_hybrid_hi":0.72644992017676968967`, `"ln_hybrid_hi":0.72644993017676968967`},
		{`"s_lo":31`, `"s_lo":30`},
		{`"rejected":[1,3]`, `"rejected":[1]`},
		{`"tau_hat":10`, `"tau_hat":9`},
		{`"closed":2`, `"closed":1`},
		{`"reason":"zero-weight"`, `"reason":"outside-tolerance"`},
		{`"trigger":"pass"`, `"trigger":"budget"`},
		{`"fail_e":[`, `"fail_f":[`}, // a list that nobody checks is a difference
	} {
		changed := bytes.Replace(compact(data), []byte(tc.old), []byte(tc.new), 1)
		if bytes.Equal(changed, compact(data)) {
			t.Errorf("%s is not in the file", tc.old)
			continue
		}
		if passed, mismatches := CheckStatistics(changed); passed >= total || len(mismatches) == 0 {
			t.Errorf("%s instead of %s was not noticed", tc.new, tc.old)
		}
	}
}

// compact drops the spaces outside of words that JSON allows, enough for the replacements above.
func compact(data []byte) []byte {
	for _, pair := range [][2]string{{": ", ":"}, {", ", ","}} {
		data = bytes.ReplaceAll(data, []byte(pair[0]), []byte(pair[1]))
	}
	return data
}
