package verify

import (
	"encoding"
	"strconv"
	"strings"

	"github.com/mesh-split/mesh-split/verify/fault"
)

// MaxVersions is how many versions one split may name: more are a mistake in naming versions, not a canary.
const MaxVersions = 32

// Split says what share of requests each version should get. Its text form, on the command line and in JSON, is
// "v1=90,v2=10". Weights are relative, as in Istio since 1.15: 9:1 and 90:10 ask for the same thing.
// The zero Split names no version and is invalid.
type Split struct{ parts []part }

type part struct {
	name   string
	weight int64
}

var (
	_ encoding.TextMarshaler   = Split{} // encoding/json uses it and its twin: one form, one parser
	_ encoding.TextUnmarshaler = (*Split)(nil)
)

// ParseSplit reads "v1=70,v2=30": 1 to [MaxVersions] distinct names, each with an integer weight from 0 to 1 000 000, at
// least one of them above 0; a percent sign behind a weight is allowed. It is the only way in: everything behind it
// trusts what a Split holds. Errors are usage errors.
func ParseSplit(text string) (Split, error) {
	const hint = "write name=weight pairs, such as v1=70,v2=30"
	var s Split
	var sum int64
	for _, term := range strings.Split(text, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(term), "=")
		name = strings.TrimSpace(name)
		if !ok || name == "" {
			return Split{}, fault.Usagef(hint, "split %q: %q is not name=weight", text, term)
		}
		value = strings.TrimSuffix(strings.TrimSpace(value), "%")
		w, err := strconv.ParseInt(value, 10, 64)
		if err != nil || w < 0 || w > 1_000_000 {
			return Split{}, fault.Usagef(hint, "split %q: weight %q of %s is not an integer from 0 to 1000000", text, value, name)
		}
		if s.Index(name) >= 0 {
			return Split{}, fault.Usagef(hint, "split %q names %s twice", text, name)
		}
		s.parts = append(s.parts, part{name, w})
		sum += w
	}
	if len(s.parts) > MaxVersions {
		return Split{}, fault.Usagef(hint, "split names %d versions; 1 to %d are allowed", len(s.parts), MaxVersions)
	}
	if sum == 0 {
		return Split{}, fault.Usagef("give at least one version a weight above 0", "split %q: weights sum to 0", text)
	}
	return s, nil
}

// NewSplit makes a Split from names and weights of equal length, by the rules of [ParseSplit].
func NewSplit(names []string, weights []int64) (Split, error) {
	terms := make([]string, len(names))
	for i, n := range names {
		if strings.ContainsAny(n, ",=") {
			return Split{}, fault.Usagef("", "version name %q holds a comma or an equals sign", n)
		}
		terms[i] = n + "=" + strconv.FormatInt(weights[i], 10)
	}
	return ParseSplit(strings.Join(terms, ","))
}

// Len is the number of versions.
func (s Split) Len() int { return len(s.parts) }

// Index is the position of a version, or -1.
func (s Split) Index(version string) int {
	for i, p := range s.parts {
		if p.name == version {
			return i
		}
	}
	return -1
}

// Names are the versions in the order given; the slice is the caller's.
func (s Split) Names() []string {
	names := make([]string, len(s.parts))
	for i, p := range s.parts {
		names[i] = p.name
	}
	return names
}

// Weights are the weights in the order of [Split.Names]; the slice is the caller's.
func (s Split) Weights() []int64 {
	weights := make([]int64, len(s.parts))
	for i, p := range s.parts {
		weights[i] = p.weight
	}
	return weights
}

// Share is weight / sum of weights, in [0, 1]; 0 for an unknown version.
func (s Split) Share(version string) float64 {
	i := s.Index(version)
	if i < 0 {
		return 0
	}
	var sum int64
	for _, p := range s.parts {
		sum += p.weight
	}
	return float64(s.parts[i].weight) / float64(sum)
}

func (s Split) String() string {
	var b strings.Builder
	for i, p := range s.parts {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(p.name + "=" + strconv.FormatInt(p.weight, 10))
	}
	return b.String()
}

// Set and Type make *Split a flag value without importing a flag package.
func (s *Split) Set(text string) error {
	parsed, err := ParseSplit(text)
	if err == nil {
		*s = parsed
	}
	return err
}

// Type names the value in help texts.
func (s *Split) Type() string { return "NAME=WEIGHT,..." }

// MarshalText gives the form that ParseSplit reads.
func (s Split) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText is ParseSplit.
func (s *Split) UnmarshalText(text []byte) error { return s.Set(string(text)) }
