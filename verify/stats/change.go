package stats

import "math"

// The defaults of a [Change], chosen with the tables of docs/operating-characteristics.md.
const (
	ChangeThreshold = 1e6  // requests, over all connections together, expected before the first false stop
	ChangeWindow    = 4000 // labels within which a change is located
)

// Change watches the labels of one connection, in its send order, for the moment where the old shares turn into the new
// ones: Shiryaev and Roberts' statistic R <- (1+R) p_new(x)/p_old(x), stopped when R reaches the threshold.
//
// Without a change, the expected number of labels seen by all Changes together before the first stop is at least the
// threshold, for the sum of all R minus the labels is a martingale. (E-detectors, Shin, Ramdas, Rinaldo, arXiv:2203.03532.)
//
// It is not safe for concurrent use. Its memory is bounded by the window.
type Change struct {
	step   []float64 // ln(p_new/p_old) per label
	logA   float64
	window int

	labels int     // seen so far, up to the stop
	logR   float64 // ln R
	sum    float64 // S_n = l_1 + … + l_n
	lowest float64 // smallest S_i
	tau    int     // its i
	done   bool

	path []float64 // S_0 … S_min(n, window)
	sent []int64   // when labels 1 … min(n, window)+1 were sent
}

// smallest is what a share of 0 is raised to: a label that "cannot" occur must not decide alone.
const smallest = 1e-6

// NewChange makes a detector for labels 0 … len(old)-1; old and new have the same length and sum to 1. A window of 0 takes
// [ChangeWindow]; a caller that may see more labels than that before it gives up asks for more.
func NewChange(old, new []float64, threshold float64, window int) *Change {
	if window <= 0 {
		window = ChangeWindow
	}
	from, to := raised(old), raised(new)
	c := &Change{step: make([]float64, len(from)), logA: math.Log(threshold), window: window}
	for i := range c.step {
		c.step[i] = math.Log(to[i] / from[i])
	}
	c.Reset()
	return c
}

func raised(p []float64) []float64 {
	out := make([]float64, len(p))
	sum := 0.0
	for i, v := range p {
		out[i] = math.Max(v, smallest)
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

// Reset forgets everything seen: the connection was made anew and may hang on another gateway.
func (c *Change) Reset() {
	c.labels, c.logR, c.sum, c.lowest, c.tau, c.done = 0, math.Inf(-1), 0, 0, 0, false
	c.path, c.sent = append(c.path[:0], 0), c.sent[:0]
}

// Observe takes the next attributed label and when its request was sent (any clock, such as nanoseconds), and says whether
// the change is proved. After that it ignores labels until Reset.
func (c *Change) Observe(label int, sent int64) bool {
	if c.done {
		return true
	}
	l := c.step[label]
	c.labels++
	c.sum += l
	c.logR = logAdd(0, c.logR) + l
	if c.sum < c.lowest-1e-9 { // equal up to rounding is not lower
		c.lowest, c.tau = c.sum, c.labels
	}
	if c.labels <= c.window {
		c.path = append(c.path, c.sum)
	}
	if c.labels <= c.window+1 {
		c.sent = append(c.sent, sent)
	}
	c.done = c.logR >= c.logA
	return c.done
}

// Done says whether the change is proved.
func (c *Change) Done() bool { return c.done }

// Labels is how many labels were used.
func (c *Change) Labels() int { return c.labels }

// LogR is ln of the statistic; -Inf before the first label.
func (c *Change) LogR() float64 { return c.logR }

// Tau estimates how many labels the old shares still drew: where the log-likelihood ratio is lowest.
func (c *Change) Tau() int { return c.tau }

// TauSent is when the first request after Tau was sent; false while there is none, or it lies beyond the window.
func (c *Change) TauSent() (int64, bool) { return c.sentAfter(c.tau) }

func (c *Change) sentAfter(t int) (int64, bool) {
	if t >= len(c.sent) {
		return 0, false
	}
	return c.sent[t], true
}

// Set lists the numbers t of labels that the old shares may have drawn, at level a: P(the true one is not listed) <= a if
// labels follow the old shares and then the new, and the true one is within the window. Uniform weights on 0 … window.
// (Cf. Saha and Ramdas, Post-detection inference for sequential changepoint localization, arXiv:2502.06096.)
func (c *Change) Set(a float64) []int {
	var set []int
	bound := c.setBound(a)
	for t := range c.path {
		if c.sum-c.path[t] > bound { // ll(t) of the text, 0 at t = n
			set = append(set, t)
		}
	}
	return set
}

// setBound is what ll(t) must exceed for t to be in the set.
func (c *Change) setBound(a float64) float64 {
	var mean Sum
	for _, s := range c.path {
		mean.Add(c.sum - s)
	}
	if rest := c.window + 1 - len(c.path); rest > 0 {
		mean.Add(math.Log(float64(rest))) // no change yet: ll = 0 each
	}
	return mean.Log() - math.Log(float64(c.window+1)) - math.Log(1/a)
}

// Span is when the first request under the new shares was sent at the earliest and at the latest, at level a; false if
// that is open at one end: more labels than the window, or a set that reaches past the last label.
func (c *Change) Span(a float64) (first, last int64, ok bool) {
	set := c.Set(a)
	if c.labels > c.window || len(set) == 0 {
		return 0, 0, false
	}
	first, _ = c.sentAfter(set[0])
	last, ok = c.sentAfter(set[len(set)-1])
	return first, last, ok
}
