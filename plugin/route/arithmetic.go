package route

import (
	"math/big"
	"strconv"
	"strings"

	"github.com/mesh-split/mesh-split/verify/fault"
)

// rule is what VirtualServices and HTTPRoutes disagree about.
type rule struct {
	absent int64 // what an absent weight counts as
	max    int64 // largest weight of one destination
	rules  bool  // Gateway API
}

// ruleOf: in a VirtualService the weight is an int32 whose absence protobuf reads as 0; the schema of HTTPRoute fills in 1
// and caps a weight at 1 000 000.
func ruleOf(s Section) rule {
	if s == Rules {
		return rule{absent: 1, max: 1_000_000, rules: true}
	}
	return rule{absent: 0, max: 2147483647}
}

// shares are weights over their sum; nil when the sum is 0, except that Istio gives a VirtualService's lone destination
// everything.
func shares(w []int64, r rule) []*big.Rat {
	if len(w) == 1 && !r.rules {
		return []*big.Rat{big.NewRat(1, 1)}
	}
	var sum int64
	for _, v := range w {
		sum += v
	}
	if sum == 0 {
		return nil
	}
	out := make([]*big.Rat, len(w))
	for i, v := range w {
		out[i] = big.NewRat(v, sum)
	}
	return out
}

// wish is a request after its names were found: named[i] says that destination i was named, and share[i] its share, nil
// for rest.
type wish struct {
	named []bool
	share []*big.Rat
}

// targetShares settles what every destination shall get (steps 2 and 3 of the arithmetic): unnamed destinations keep
// their share of the old sum, unless rest, --spread or the one destination that can give says otherwise.
func (e Entry) targetShares(w wish, spread bool) ([]*big.Rat, error) {
	effective := e.Weights()
	old := shares(effective, rule{rules: true})
	p := make([]*big.Rat, len(effective))
	named, kept := new(big.Rat), new(big.Rat)
	rest, unnamed := -1, 0
	for i := range p {
		switch {
		case w.named[i] && w.share[i] == nil:
			rest, p[i] = i, new(big.Rat)
		case w.named[i]:
			p[i] = w.share[i]
			named.Add(named, p[i])
		default:
			unnamed++
			p[i] = new(big.Rat)
			if old != nil {
				p[i].Set(old[i])
			}
			kept.Add(kept, p[i])
		}
	}
	if named.Cmp(one) > 0 {
		return nil, e.usage("E_OVER", "lower one of them, or write one as rest", "the named shares sum to %s %%, more than 100", percent(named))
	}
	left := new(big.Rat).Sub(one, named)
	given := new(big.Rat).Sub(left, kept) // what the implicit or explicit rest has to take, beside its own
	switch {
	case rest >= 0:
		if given.Sign() < 0 {
			return nil, e.usage("E_OVER", "name the others too, or lower the share", "nothing is left for %s: %s %% is named and the others keep %s %%",
				e.Destinations[rest].Short, percent(named), percent(kept))
		}
		p[rest] = given
	case unnamed == 0:
		if left.Sign() != 0 {
			return nil, e.usage("E_NOT_100", "write one of the shares as rest", "all destinations are named and their shares sum to %s %%, not 100", percent(named))
		}
	case spread:
		return e.spread(p, w, left, kept, unnamed)
	case given.Sign() != 0:
		giver := e.giver(w, unnamed)
		if giver < 0 {
			return nil, e.whoGives(w)
		}
		p[giver] = new(big.Rat).Add(p[giver], given)
		if p[giver].Sign() < 0 {
			return nil, e.usage("E_OVER", "name the others too, or lower the share", "%s cannot give more than it has: %s %% is missing",
				e.Destinations[giver].Short, percent(new(big.Rat).Neg(p[giver])))
		}
	}
	return p, nil
}

// spread shares what is left among the unnamed destinations in proportion to what they have.
func (e Entry) spread(p []*big.Rat, w wish, left, kept *big.Rat, unnamed int) ([]*big.Rat, error) {
	for i := range p {
		switch {
		case w.named[i]:
		case kept.Sign() > 0:
			p[i] = new(big.Rat).Mul(left, new(big.Rat).Quo(p[i], kept))
		case unnamed == 1:
			p[i] = left
		case left.Sign() > 0:
			return nil, e.usage("E_NO_BASIS", "name the destinations that shall get the rest", "--spread has nothing to go by: the unnamed destinations all have weight 0")
		}
	}
	return p, nil
}

// giver is the only unnamed destination, or the only unnamed one with traffic; -1 when that is nobody or several.
func (e Entry) giver(w wish, unnamed int) int {
	only, withTraffic, traffic := -1, -1, 0
	for i, d := range e.Destinations {
		if w.named[i] {
			continue
		}
		only = i
		if d.Effective > 0 {
			withTraffic = i
			traffic++
		}
	}
	switch {
	case unnamed == 1:
		return only
	case traffic == 1:
		return withTraffic
	}
	return -1
}

func (e Entry) whoGives(w wish) error {
	var terms, others []string
	for i, d := range e.Destinations {
		if w.named[i] {
			terms = append(terms, d.Short+"="+percent(w.share[i]))
		} else {
			others = append(others, d.Short)
		}
	}
	return e.usage("E_WHO_GIVES", "say who with a rest: "+strings.Join(terms, " ")+" "+others[0]+"=rest; or let all of them with --spread",
		"the shares do not sum to 100 and several destinations could give or take the difference: %s", strings.Join(others, ", "))
}

// integers rounds shares to weights that sum to n: each gets the floor of n·p, and the units that are missing go to the
// largest fractions; of equal fractions to the larger current weight first, since a tie then moves no traffic, then to the
// lower index.
func integers(p []*big.Rat, n int64, current []int64) []int64 {
	out := make([]int64, len(p))
	fraction := make([]*big.Rat, len(p))
	missing := n
	for i := range p {
		quota := new(big.Rat).Mul(p[i], new(big.Rat).SetInt64(n))
		floor := new(big.Int).Quo(quota.Num(), quota.Denom())
		out[i] = floor.Int64()
		fraction[i] = quota.Sub(quota, new(big.Rat).SetInt(floor))
		missing -= out[i]
	}
	for ; missing > 0; missing-- { // fewer units than destinations are missing: fractions are below 1
		best := 0
		for i := 1; i < len(p); i++ {
			c := fraction[i].Cmp(fraction[best])
			if c > 0 || c == 0 && current[i] > current[best] {
				best = i
			}
		}
		out[best]++
		fraction[best] = big.NewRat(-1, 1)
	}
	return out
}

// rounding says what is wrong with weights as an answer to shares: a destination that should get something gets nothing,
// or a named one lands more than a point off. Empty: nothing.
func (e Entry) rounding(p []*big.Rat, weights []int64, n int64, named []bool) string {
	point := big.NewRat(1, 100)
	for i := range p {
		got := big.NewRat(weights[i], n)
		if p[i].Sign() > 0 && weights[i] == 0 {
			return e.Destinations[i].Short + " would get nothing in place of " + percent(p[i]) + " %"
		}
		off := new(big.Rat).Sub(got, p[i])
		if named[i] && off.Abs(off).Cmp(point) > 0 {
			return e.Destinations[i].Short + " would get " + percent(got) + " % in place of " + percent(p[i]) + " %"
		}
	}
	return ""
}

// limits says which weight or sum the API does not take. Empty: none.
func limits(weights []int64, n int64, r rule) string {
	if !r.rules {
		if n > r.max {
			return "the weights would sum to " + strconv.FormatInt(n, 10) + ", more than " + strconv.FormatInt(r.max, 10)
		}
		return ""
	}
	for _, w := range weights {
		if w > r.max {
			return "a weight would be " + strconv.FormatInt(w, 10) + ", more than " + strconv.FormatInt(r.max, 10)
		}
	}
	return ""
}

// percent is a share for people: at most 4 decimals, as many as a request may have.
func percent(share *big.Rat) string {
	return decimal(new(big.Rat).Mul(share, hundred), 4)
}

func (e Entry) usage(name, hint, format string, args ...any) error {
	return fault.Usagef(hint, e.String()+": "+format, args...).Named(name)
}
