package cli

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/mesh-split/mesh-split/verify"
	"github.com/mesh-split/mesh-split/verify/fault"
)

// AddJudgeFlags declares the flags that say what counts as right.
func (f *LoadFlags) AddJudgeFlags(fs *pflag.FlagSet) {
	fs.StringVar(&f.tolerance, "tolerance", "", "how far a share may lie from its target: 2% or v1=2%,v2=1% (default: a fifth of the smaller side, 0.5 to 2 points)")
	fs.StringVar(&f.confidence, "confidence", "95%", "of every verdict; 1 minus it is the probability of a wrong one")
	fs.StringVar(&f.failOn, "fail-on", "split,errors", "what can make a FAIL: split, errors, latency (with --slower-than), joined by commas; the split always can")
	fs.DurationVar(&f.slowerThan, "slower-than", 0, "with --fail-on split,errors,latency: what counts as a slow request")
	fs.StringVar(&f.maxErrorRate, "max-error-rate", "", "also certify that each version fails less often than this (default: only guard against 5%)")
	fs.StringVar(&f.inconclusiveAs, "inconclusive-as", "", "end an INCONCLUSIVE run like a pass or a fail, for callers that know only two")
}

// AddWatchFlags declares the flags that go on after a PASS.
func (f *LoadFlags) AddWatchFlags(fs *pflag.FlagSet) {
	fs.BoolVar(&f.watch, "watch", false, "after a PASS keep checking until a FAIL or Ctrl-C; a false alarm comes once a week at most, on average")
	fs.DurationVar(&f.watchFor, "for", 0, "with --watch: end after so long, with the PASS")
}

// Judged reads the flags of AddJudgeFlags into a Config that is silent about everything else. Every fault is said at once.
func (f *LoadFlags) Judged() (verify.Config, error) {
	var c verify.Config
	var faults []error
	check := func(err error) {
		if err != nil {
			faults = append(faults, err)
		}
	}
	var err error
	if f.tolerance != "" {
		c.Tolerance, err = verify.ParseTolerance(f.tolerance)
		check(err)
	}
	c.Confidence, err = fraction("--confidence", f.confidence, verify.DefaultConfidence)
	check(err)
	c.MaxErrorRate, err = fraction("--max-error-rate", f.maxErrorRate, 0)
	check(err)
	check(f.judge(&c))
	if f.inconclusiveAs != "" && f.inconclusiveAs != "pass" && f.inconclusiveAs != "fail" {
		check(fault.Usagef("write --inconclusive-as pass or fail", "--inconclusive-as %q is neither", f.inconclusiveAs))
	}
	return c, errors.Join(faults...)
}

// judge reads --fail-on and what belongs to it.
func (f *LoadFlags) judge(c *verify.Config) error {
	if f.failOn == "" {
		return nil // a command that only loads
	}
	const hint = "write --fail-on split,errors, or --fail-on split,errors,latency --slower-than 50ms"
	judged := map[string]bool{}
	for _, what := range strings.Split(f.failOn, ",") {
		if what != "split" && what != "errors" && what != "latency" {
			return fault.Usagef(hint, "--fail-on %q: %q is not split, errors or latency", f.failOn, what)
		}
		judged[what] = true
	}
	switch {
	case !judged["split"]:
		return fault.Usagef(hint, "--fail-on %q leaves out the split, which always decides", f.failOn)
	case judged["latency"] != (f.slowerThan > 0):
		return fault.Usagef(hint, "--fail-on latency and --slower-than go together")
	}
	c.IgnoreErrors, c.SlowerThan = !judged["errors"], f.slowerThan
	return nil
}

// Exit is the exit code of a verdict, which --inconclusive-as may bend.
func (f *LoadFlags) Exit(r *verify.Report) fault.Code {
	code := verify.ExitCode(r)
	if code == fault.Inconclusive {
		switch f.inconclusiveAs {
		case "pass":
			return fault.Done
		case "fail":
			return fault.Fail
		}
	}
	return code
}

// fraction reads "95%" or "0.95".
func fraction(flag, text string, silent float64) (float64, error) {
	if text == "" {
		return silent, nil
	}
	number, percent := strings.CutSuffix(strings.TrimSpace(text), "%")
	x, err := strconv.ParseFloat(number, 64)
	if percent {
		x = math.Round(x*1e10) / 1e12 // 99.9% is 0.999, not the float beside it
	}
	if err != nil || !(x > 0 && x < 1) {
		return 0, fault.Usagef("write "+flag+" 95% or 0.95", "%s %q is not above 0 and below 1 (0 %% and 100 %%)", flag, text)
	}
	return x, nil
}
