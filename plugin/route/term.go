package route

import (
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"github.com/mesh-split/mesh-split/verify/fault"
)

// Name is how a destination is named on a command line: name["/"subset][":"port], or "@"index.
type Name struct {
	Word   string // empty when Index counts
	Subset string // empty for none
	Port   int    // 0 for none
	Index  int    // -1 for none
}

// Term is one wish of a command line: a destination and its share of all requests.
type Term struct {
	Dest  Name
	Share *big.Rat // 0 to 1, exact; nil for the word rest
}

// Rest says that the destination takes what the others leave.
func (t Term) Rest() bool { return t.Share == nil }

const termHint = "write DEST=PERCENT with at most 4 decimals, or DEST=rest, such as v2=30 or reviews/v2=12.5%"

// A percentage is written without sign, exponent and leading zeros, so that 030 and 3e1 are questions, not 30.
var percentForm = regexp.MustCompile(`^(0|[1-9][0-9]*)(\.[0-9]{1,4})?%?$`)

// ParseTerms reads DEST=PERCENT terms, the first wrong one decides: E_SYNTAX, or E_RANGE for more than 100. It knows no
// object yet; the names are looked up by [PlanSet].
func ParseTerms(texts []string) ([]Term, error) {
	terms := make([]Term, 0, len(texts))
	for _, text := range texts {
		t, err := ParseTerm(text)
		if err != nil {
			return nil, err
		}
		terms = append(terms, t)
	}
	return terms, nil
}

// ParseTerm reads one DEST=PERCENT term.
func ParseTerm(text string) (Term, error) {
	dest, share, ok := strings.Cut(text, "=")
	if !ok {
		return Term{}, syntax("%q is not DEST=PERCENT", text)
	}
	name, err := ParseName(dest)
	if err != nil {
		return Term{}, err
	}
	if share == "rest" {
		return Term{Dest: name}, nil
	}
	if !percentForm.MatchString(share) {
		return Term{}, syntax("share %q of %s is not a percentage", share, dest)
	}
	percent, ok := new(big.Rat).SetString(strings.TrimSuffix(share, "%"))
	if !ok {
		return Term{}, syntax("share %q of %s is not a percentage", share, dest)
	}
	if percent.Cmp(hundred) > 0 {
		return Term{}, fault.Usagef("shares are percentages from 0 to 100", "share %s of %s is more than 100", share, dest).Named("E_RANGE")
	}
	return Term{Dest: name, Share: percent.Quo(percent, hundred)}, nil
}

var (
	hundred = big.NewRat(100, 1)
	one     = big.NewRat(1, 1)

	wordForm  = regexp.MustCompile(`^[^\s/:@=\pC]+$`)
	indexForm = regexp.MustCompile(`^(0|[1-9][0-9]{0,5})$`)
	portForm  = regexp.MustCompile(`^[1-9][0-9]{0,4}$`)
)

// ParseName reads a destination's name; E_SYNTAX when it is none.
func ParseName(text string) (Name, error) {
	if index, ok := strings.CutPrefix(text, "@"); ok {
		if !indexForm.MatchString(index) {
			return Name{}, syntax("%q is not @INDEX", text)
		}
		i, _ := strconv.Atoi(index)
		return Name{Index: i}, nil
	}
	n := Name{Index: -1}
	rest, port, hasPort := strings.Cut(text, ":")
	if hasPort {
		if !portForm.MatchString(port) {
			return Name{}, syntax("%q: %q is not a port", text, port)
		}
		n.Port, _ = strconv.Atoi(port)
	}
	word, subset, hasSubset := strings.Cut(rest, "/")
	if !wordForm.MatchString(word) || hasSubset && !wordForm.MatchString(subset) {
		return Name{}, syntax("%q does not name a destination", text)
	}
	n.Word, n.Subset = word, subset
	return n, nil
}

// String is the form ParseName reads.
func (n Name) String() string {
	if n.Word == "" {
		return "@" + strconv.Itoa(n.Index)
	}
	s := n.Word
	if n.Subset != "" {
		s += "/" + n.Subset
	}
	if n.Port != 0 {
		s += ":" + strconv.Itoa(n.Port)
	}
	return s
}

// String is the form ParseTerm reads.
func (t Term) String() string {
	if t.Rest() {
		return t.Dest.String() + "=rest"
	}
	return t.Dest.String() + "=" + decimal(new(big.Rat).Mul(t.Share, hundred), 4)
}

func syntax(format string, args ...any) error {
	return fault.Usagef(termHint, format, args...).Named("E_SYNTAX")
}

// decimal writes r with at most n decimals and no trailing zeros.
func decimal(r *big.Rat, n int) string {
	s := r.FloatString(n)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}
