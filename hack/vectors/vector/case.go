package vector

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// number is a JSON number, "+Inf", "-Inf" or null (no such side).
type number struct {
	v    float64
	null bool
}

func (x *number) UnmarshalJSON(b []byte) error {
	switch string(b) {
	case "null":
		x.null = true
		return nil
	case `"+Inf"`:
		x.v = math.Inf(1)
		return nil
	case `"-Inf"`:
		x.v = math.Inf(-1)
		return nil
	}
	v, err := strconv.ParseFloat(string(b), 64)
	x.v = v
	return err
}

// checker compares what one case computes with what it expects, and collects the differences.
type checker struct {
	name       string
	tol        float64
	mismatches []string
}

func (c *checker) fail(field string, got, want any) {
	c.mismatches = append(c.mismatches, fmt.Sprintf("%s: %s: got %v, want %v", c.name, field, got, want))
}

// near compares numbers within the case's absolute tolerance; infinities must agree.
func (c *checker) near(field string, got float64, want number) {
	switch {
	case want.null: // no such side: the caller says so by NaN
		if !math.IsNaN(got) {
			c.fail(field, got, "no such side")
		}
	case got == want.v:
	case math.IsInf(want.v, 0), !(math.Abs(got-want.v) <= c.tol):
		c.fail(field, got, want.v)
	}
}

func (c *checker) equal(field string, got, want any) {
	g, _ := json.Marshal(got)
	w, _ := json.Marshal(want)
	if string(g) != string(w) {
		c.fail(field, string(g), string(w))
	}
}
