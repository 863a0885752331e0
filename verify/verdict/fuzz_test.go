package verdict

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"testing"

	"github.com/mesh-split/mesh-split/verify/fault"
)

// reader turns fuzz bytes into numbers; it gives zeros when they are used up.
type reader []byte

func (r *reader) next(limit uint64) uint64 {
	var b [8]byte
	n := copy(b[:], *r)
	*r = (*r)[n:]
	return binary.LittleEndian.Uint64(b[:]) % limit
}

// An arbitrary path of counts, growing as evidence grows, never ends in PASS and FAIL both, never in a verdict on no data,
// and no number in the answer is none. Counts are up to 2^20 here; TestHugeCounts has the rest.
func FuzzDecision(f *testing.F) {
	f.Add([]byte{2, 0, 0, 0, 0, 0, 0, 0, 50, 0, 0, 0, 0, 0, 0, 0, 50, 0, 0, 0, 0, 0, 0, 0, 1})
	f.Add([]byte("70/30/0 with some paths of counts that nobody drew from anything at all, and then some more of them"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := reader(data)
		k := int(1 + r.next(6))
		q := Question{Weights: make([]int64, k), Errors: r.next(2) == 1, MaxErrorRateSet: r.next(2) == 1, Latency: r.next(2) == 1}
		for i := range q.Weights {
			q.Weights[i] = int64(r.next(100))
		}
		if r.next(3) == 0 {
			q.Tolerance = make([]float64, k)
			for i := range q.Tolerance {
				q.Tolerance[i] = float64(r.next(999)+1) / 1000
			}
		}
		p, err := New(q)
		if err != nil {
			t.Skip()
		}
		e := Evidence{Counts: make([]uint64, k), Failures: make([]uint64, k), Slow: make([]uint64, k)}
		stops := map[Stop]bool{}
		for len(r) > 0 {
			for i := range e.Counts {
				c := r.next(1 << 14)
				bad := r.next(c + 1)
				e.Counts[i], e.Failures[i], e.Slow[i], e.Requests = e.Counts[i]+c, e.Failures[i]+bad, e.Slow[i]+bad, e.Requests+c
			}
			u, foreign := r.next(20), r.next(40)/39
			e.Unattributed, e.UnattributedFailures, e.Foreign = e.Unattributed+u, e.UnattributedFailures+u/2, e.Foreign+foreign
			e.Requests += u + foreign
			stops[p.Look(&e)] = true
		}
		d := p.Decide(&e, []Evidence{e, e})
		check(t, &d, &e, k)
		if stops[StopError] || d.Reasons[0].Code == CodeInternal {
			t.Errorf("possible counts were called impossible: %+v", e)
		}
		if stops[StopFail] && d.Verdict == Pass {
			t.Errorf("a look said FAIL, the end says PASS: %+v", e)
		}
	})
}

// check holds what is true of every decision.
func check(t *testing.T, d *Decision, e *Evidence, k int) {
	t.Helper()
	if _, err := json.Marshal(d); err != nil {
		t.Errorf("not a JSON document, a number is NaN or infinite: %v", err)
	}
	if len(d.Reasons) == 0 || d.Reasons[0].Message == "" {
		t.Error("a decision without a reason")
	}
	if e.Requests == 0 && (d.Verdict != Inconclusive || d.Exit != fault.Failed) {
		t.Errorf("%v (exit %d) on no data", d.Verdict, d.Exit)
	}
	want := map[Verdict]fault.Code{Pass: fault.Done, Fail: fault.Fail, Inconclusive: fault.Inconclusive}[d.Verdict]
	if d.Exit != want && !(d.Verdict == Inconclusive && d.Exit == fault.Failed) {
		t.Errorf("%v with exit code %d", d.Verdict, d.Exit)
	}
	if (d.Err() != nil) != (d.Exit == fault.Failed) {
		t.Errorf("exit code %d, error %v", d.Exit, d.Err())
	}
	if d.Verdict == Pass && len(d.Open) > 0 {
		t.Errorf("PASS, though %v is still open", d.Open)
	}
	if d.Reasons[0].Code == CodeInternal {
		return
	}
	for i := range k {
		iv, seen := d.Intervals[i], d.Observed[i]
		if !(0 <= iv[0] && iv[0] <= seen+1e-9 && seen <= iv[1]+1e-9 && iv[1] <= 1) {
			t.Errorf("interval %v of version %d does not hold the share seen, %v", iv, i, seen)
		}
	}
	for _, o := range d.Open {
		if math.IsNaN(o.Wanted) || o.Wanted < 1 && o.Wanted != -1 {
			t.Errorf("open side %+v wants that many requests", o)
		}
	}
}
