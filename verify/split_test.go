package verify_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/mesh-split/mesh-split/verify"
	"github.com/mesh-split/mesh-split/verify/fault"
)

func TestParseSplit(t *testing.T) {
	for _, row := range []struct {
		in, version string
		share       float64
		err         string
	}{
		{in: "v1=70,v2=30", version: "v2", share: 0.3},
		{in: "v1=9,v2=1", version: "v2", share: 0.1},              // 9:1 is the same split as 90:10; Istio divides by the sum
		{in: " v1 = 70% , v2=30%", version: "v1", share: 0.7},     // as people type it
		{in: "v1=100,v2=0", version: "v2", share: 0},              // a canary at rest
		{in: "v1=100", version: "v1", share: 1},                   // one version: the leak bound alone is judged
		{in: "v1=1", version: "v7", share: 0},                     // unknown
		{in: "", err: "is not name=weight"},                       //
		{in: "v1", err: "is not name=weight"},                     //
		{in: "=3", err: "is not name=weight"},                     //
		{in: "v1=0,v2=0", err: "weights sum to 0"},                // nobody would answer
		{in: "v1=-1", err: "not an integer from 0"},               //
		{in: "v1=1.5", err: "not an integer from 0"},              // weights are integers in Istio
		{in: "v1=1,v1=2", err: "names v1 twice"},                  //
		{in: many(33), err: "33 versions; 1 to 32 are allowed"},   //
		{in: "v1=1000001,v2=1", err: "integer from 0 to 1000000"}, // Gateway API's largest weight
	} {
		s, err := verify.ParseSplit(row.in)
		switch {
		case row.err != "":
			if err == nil || !strings.Contains(err.Error(), row.err) || fault.ExitCode(err) != fault.Usage {
				t.Errorf("ParseSplit(%q) = %v, %v; want a usage error with %q", row.in, s, err, row.err)
			}
		case err != nil || s.Share(row.version) != row.share:
			t.Errorf("ParseSplit(%q): share of %s = %v, %v; want %v", row.in, row.version, s.Share(row.version), err, row.share)
		}
	}
}

func many(n int) string {
	terms := make([]string, n)
	for i := range terms {
		terms[i] = fmt.Sprintf("v%d=1", i)
	}
	return strings.Join(terms, ",")
}

// One form, one parser: text, JSON and map values agree.
func TestSplitPrintsWhatItParses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z][a-z0-9.-]{0,8}`), 1, 32, rapid.ID).Draw(t, "names")
		weights := rapid.SliceOfN(rapid.Int64Range(0, 1_000_000), len(names), len(names)).Draw(t, "weights")
		weights[0] = max(1, weights[0])
		s, err := verify.NewSplit(names, weights)
		if err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var back verify.Split
		if err := json.Unmarshal(data, &back); err != nil || back.String() != s.String() {
			t.Fatalf("%s came back as %s, %v", s, back, err)
		}
		sum := 0.0
		for _, n := range s.Names() {
			sum += s.Share(n)
		}
		if sum < 1-1e-9 || sum > 1+1e-9 {
			t.Fatalf("shares of %s sum to %v", s, sum)
		}
	})
}
