package vector

import (
	"os"
	"path/filepath"
	"testing"
)

func TestVectors(t *testing.T) {
	for _, tc := range []struct {
		file  string
		check func([]byte) (int, []string)
	}{
		{"vectors-statistics.json", CheckStatistics},
	} {
		t.Run(tc.file, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join("..", "..", "..", "testdata", tc.file))
			if err != nil {
				t.Fatal(err)
			}
			passed, mismatches := tc.check(data)
			for _, m := range mismatches {
				t.Error(m)
			}
			if passed == 0 {
				t.Error("no case agreed")
			}
		})
	}
}
