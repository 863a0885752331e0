package vector

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/mesh-split/mesh-split/hack/oc/classic"
	"github.com/mesh-split/mesh-split/verify/stats"
)

// statistics maps each list of a statistics vector file to what checks one of its cases.
var statistics = map[string]func(*checker, json.RawMessage) error{
	"ln_beta_inc":                   checkBetaInc,
	"dirichlet_e":                   checkDirichlet,
	"srm":                           checkDrift,
	"bernoulli_confidence_sequence": checkBernoulli,
	"multinomial_profile_interval":  checkMultinomial,
	"pass_e":                        checkPass,
	"fail_e":                        checkFail,
	"leak":                          checkLeak,
	"label_test":                    checkLabel,
	"clopper_pearson":               checkClopperPearson,
	"tost":                          checkTOST,
	"tolerance_default":             checkTolerance,
	"quantile_ranks":                checkQuantile,
	"e_bh":                          checkEBH,
	"change_point":                  checkChange,
	"watch":                         checkWatch,
	"evidence_prefix":               checkPrefix,
	"decisions":                     checkDecision,
}

// CheckStatistics runs every case of a statistics vector file. It returns how many cases agreed, and a line for each
// difference: case, what was computed, what was wanted.
func CheckStatistics(data []byte) (passed int, mismatches []string) {
	var file map[string]json.RawMessage
	if err := json.Unmarshal(data, &file); err != nil {
		return 0, []string{"statistics: " + err.Error()}
	}
	names := make([]string, 0, len(file))
	for name := range file {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		var cases []json.RawMessage
		if json.Unmarshal(file[name], &cases) != nil {
			continue // schema, title, fields
		}
		check, known := statistics[name]
		if !known {
			mismatches = append(mismatches, name+": got no check for this list, want one")
			continue
		}
		for i, raw := range cases {
			head := struct {
				Name string
				Tol  float64
			}{Tol: 1e-9}
			_ = json.Unmarshal(raw, &head) // a broken case is reported by its own check
			c := checker{name: fmt.Sprintf("%s[%d]", name, i), tol: head.Tol}
			if head.Name != "" {
				c.name += " " + head.Name
			}
			if err := check(&c, raw); err != nil {
				c.fail("case", err, "a readable case")
			}
			if len(c.mismatches) == 0 {
				passed++
			}
			mismatches = append(mismatches, c.mismatches...)
		}
	}
	return passed, mismatches
}

func checkBetaInc(c *checker, raw json.RawMessage) error {
	var v struct {
		A, B, X float64
		Xc      *float64
		Value   number
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	xc := 1 - v.X
	if v.Xc != nil {
		xc = *v.Xc
	}
	c.near("value", classic.LogIncBeta(v.A, v.B, v.X, xc), v.Value)
	return nil
}

func checkDirichlet(c *checker, raw json.RawMessage) error {
	var v struct {
		Alpha, Target []float64
		Counts        []uint64
		LnE           number `json:"ln_e"`
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	c.near("ln_e", stats.LogDirichlet(func(i int) float64 { return v.Alpha[i] }, v.Counts, v.Target), v.LnE)
	return nil
}

func shares(weights []int64) []float64 {
	var sum int64
	for _, w := range weights {
		sum += w
	}
	t := make([]float64, len(weights))
	for i, w := range weights {
		t[i] = float64(w) / float64(sum)
	}
	return t
}

func checkDrift(c *checker, raw json.RawMessage) error {
	var v struct {
		Weights []int64
		Counts  []uint64
		Kappas  []float64
		LnE     number `json:"ln_e"`
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	c.near("ln_e", stats.DriftWith(v.Counts, shares(v.Weights), v.Kappas), v.LnE)
	return nil
}

func checkPass(c *checker, raw json.RawMessage) error {
	var v struct {
		T, D      float64
		N, S      float64
		Kappa     number
		PointHi   number `json:"ln_point_hi"`
		MixtureHi number `json:"ln_mixture_hi"`
		HybridHi  number `json:"ln_hybrid_hi"`
		PointLo   number `json:"ln_point_lo"`
		MixtureLo number `json:"ln_mixture_lo"`
		HybridLo  number `json:"ln_hybrid_lo"`
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	band := stats.BandOf(v.T, v.D)
	c.near("kappa", stats.MixtureStrength(band), v.Kappa)
	hi, lo := stats.NewHybrid(band, true), stats.NewHybrid(band, false)
	c.near("ln_point_hi", hi.Point(v.S, v.N), v.PointHi)
	c.near("ln_mixture_hi", hi.Mixture(v.S, v.N), v.MixtureHi)
	c.near("ln_hybrid_hi", hi.LogE(v.S, v.N), v.HybridHi)
	c.near("ln_point_lo", lo.Point(v.S, v.N), v.PointLo)
	c.near("ln_mixture_lo", lo.Mixture(v.S, v.N), v.MixtureLo)
	c.near("ln_hybrid_lo", lo.LogE(v.S, v.N), v.HybridLo)
	return nil
}

func checkFail(c *checker, raw json.RawMessage) error {
	var v struct {
		T, D    []float64
		Counts  []uint64
		U       uint64
		Above   []number `json:"ln_above"`
		Below   []number `json:"ln_below"`
		Average number   `json:"ln_average"`
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	n := v.U
	bands := make([]stats.Band, len(v.T))
	for i := range v.T {
		bands[i] = stats.BandOf(v.T[i], v.D[i])
		n += v.Counts[i]
	}
	out := stats.NewOutside(bands)
	for i := range v.T {
		above, below := out.Sides(i)
		c.near(fmt.Sprintf("ln_above[%d]", i), above.LogE(float64(v.Counts[i]), float64(n)), v.Above[i])
		c.near(fmt.Sprintf("ln_below[%d]", i), below.LogE(float64(v.Counts[i]+v.U), float64(n)), v.Below[i])
	}
	c.near("ln_average", out.LogE(v.Counts, n, v.U), v.Average)
	return nil
}

func checkLeak(c *checker, raw json.RawMessage) error {
	var v struct {
		N, U, Eps float64
		Point     number `json:"ln_point"`
		Mixture   number `json:"ln_mixture"`
		LnE       number `json:"ln_e"`
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	leak := stats.NewLeak(v.Eps)
	c.near("ln_point", leak.Point(v.U, v.N), v.Point)
	c.near("ln_mixture", leak.Mixture(v.U, v.N), v.Mixture)
	c.near("ln_e", leak.LogE(v.U, v.N), v.LnE)
	return nil
}

func checkLabel(c *checker, raw json.RawMessage) error {
	var v struct {
		M, S, Q0 float64
		LnE      number `json:"ln_e"`
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	side := stats.Above(1, 1, v.Q0, 1-v.Q0)
	c.near("ln_e", side.LogE(v.S, v.M), v.LnE)
	return nil
}

func checkTolerance(c *checker, raw json.RawMessage) error {
	var v struct {
		Weights []int64
		D       []number
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	for i, d := range stats.DefaultTolerance(v.Weights) {
		c.near(fmt.Sprintf("d[%d]", i), d, v.D[i])
	}
	return nil
}

func checkEBH(c *checker, raw json.RawMessage) error {
	var v struct {
		LnE      []number `json:"ln_e"`
		Alpha    float64
		Rejected []int
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	lnE := make([]float64, len(v.LnE))
	for i, x := range v.LnE {
		lnE[i] = x.v
	}
	c.equal("rejected", stats.EBH(lnE, v.Alpha), v.Rejected)
	return nil
}
