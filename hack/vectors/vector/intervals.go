package vector

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/mesh-split/mesh-split/hack/oc/classic"
	"github.com/mesh-split/mesh-split/verify/stats"
)

// Statistics vectors about intervals, and the fixed-sample tests they are compared with.

func checkBernoulli(c *checker, raw json.RawMessage) error {
	var v struct {
		S, N          uint64
		Alpha         float64
		TOpt          float64 `json:"t_opt"`
		AlphaOpt      float64 `json:"alpha_opt"`
		Kappa, Lo, Hi number
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	g := stats.PriorWeight(v.TOpt, v.AlphaOpt)
	c.near("kappa", g, v.Kappa)
	lo, hi := stats.BernoulliWith(v.S, v.N, v.Alpha, g)
	c.near("lo", lo, v.Lo)
	c.near("hi", hi, v.Hi)
	return nil
}

func checkMultinomial(c *checker, raw json.RawMessage) error {
	var v struct {
		Weights   []int64
		Counts    []uint64
		Kappas    []float64
		Alpha     float64
		Intervals [][2]number
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	got := make([][2]float64, len(v.Weights))
	stats.MultinomialWith(got, v.Counts, shares(v.Weights), v.Alpha, v.Kappas)
	for i, want := range v.Intervals {
		c.near(fmt.Sprintf("intervals[%d] lower", i), got[i][0], want[0])
		c.near(fmt.Sprintf("intervals[%d] upper", i), got[i][1], want[1])
	}
	return nil
}

func checkClopperPearson(c *checker, raw json.RawMessage) error {
	var v struct {
		S, N   uint64
		Alpha  float64
		Lo, Hi number
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	lo, hi := classic.ClopperPearson(v.S, v.N, v.Alpha)
	c.near("lo", lo, v.Lo)
	c.near("hi", hi, v.Hi)
	return nil
}

func checkTOST(c *checker, raw json.RawMessage) error {
	var v struct {
		N, S        uint64
		T, D, Alpha float64
		LnLo        number `json:"ln_p_lo"`
		LnHi        number `json:"ln_p_hi"`
		Equivalent  bool
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	lo, hi := classic.TOST(v.S, v.N, stats.BandOf(v.T, v.D))
	c.near("ln_p_lo", lo, v.LnLo)
	c.near("ln_p_hi", hi, v.LnHi)
	c.equal("equivalent", math.Max(lo, hi) <= math.Log(v.Alpha), v.Equivalent)
	return nil
}

func checkQuantile(c *checker, raw json.RawMessage) error {
	var v struct {
		N        uint64
		Q, Alpha float64
		TOpt     float64 `json:"t_opt"`
		Lo       uint64  `json:"s_lo"`
		Hi       uint64  `json:"s_hi"`
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	lo, hi := stats.QuantileRanksWith(v.N, v.Q, v.Alpha, stats.PriorWeight(v.TOpt, v.Alpha))
	c.equal("s_lo", lo, v.Lo)
	c.equal("s_hi", hi, v.Hi)
	return nil
}
