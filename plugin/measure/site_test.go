package measure

import (
	"math"
	"testing"

	"github.com/mesh-split/mesh-split/verify"
)

// Several verdicts have together what one has alone.
func TestConfidenceOfSeveral(t *testing.T) {
	for _, row := range []struct {
		asked float64
		of    int
		want  float64
	}{
		{0, 1, 0}, // the default, as Config reads it
		{0.99, 1, 0.99},
		{0, 2, 0.975},
		{0.95, 2, 0.975},
		{0.9, 10, 0.99},
	} {
		s := &Site{config: verify.Config{Confidence: row.asked}, naming: naming{"--identify", []string{"v1", "v2"}}}
		c, err := s.Config(web(t, "http", nil), row.of)
		if err != nil || math.Abs(c.Confidence-row.want) > 1e-12 {
			t.Errorf("%v of %d routes: each has %v, want %v (%v)", row.asked, row.of, c.Confidence, row.want, err)
		}
	}
}
