package stats

import "math"

// Outside is the e-process that FAIL collects: the mean over all sides of all bands of the evidence that a share is beyond
// that side, with uniform alternatives. Its null is "every share is in its closed band"; sides whose edge is 0 or 1 have
// nothing beyond them and are left out.
type Outside struct {
	above, below []Side // per version; zero Sides do not exist
	mirrors      bool   // two versions whose sides are each other's: half of them have the mean of all
}

// NewOutside makes the process for these bands.
func NewOutside(bands []Band) *Outside {
	o := &Outside{above: make([]Side, len(bands)), below: make([]Side, len(bands))}
	o.mirrors = len(bands) == 2 && bands[0].Judged() && math.Abs(bands[0].D-bands[1].D) < edgeGrain
	for i, b := range bands {
		if !b.Judged() {
			continue
		}
		if b.Hic > 0 {
			o.above[i] = Above(1, 1, b.Hi, b.Hic)
		}
		if b.Lo > 0 {
			o.below[i] = Below(1, 1, b.Lo, b.Loc)
		}
	}
	return o
}

// LogE is ln of the e-value of counts attributed requests per version in n requests, of which u have no version. Each side
// takes u in the way that speaks least against the band. 0 when no side exists.
func (o *Outside) LogE(counts []uint64, n, u uint64) float64 {
	var sum Sum
	if o.mirrors && counts[0]+counts[1]+u == n {
		counts = counts[:1]
	}
	for i, c := range counts {
		if o.above[i].Exists() {
			sum.Add(o.above[i].LogE(float64(c), float64(n)))
		}
		if o.below[i].Exists() {
			sum.Add(o.below[i].LogE(float64(c+u), float64(n)))
		}
	}
	return sum.LogMean()
}

// Mirrors says whether there are two versions with equal bands, so that being above one band is being below the other.
func (o *Outside) Mirrors() bool { return o.mirrors }

// Sides are the two parts of version i; either may not exist.
func (o *Outside) Sides(i int) (above, below *Side) { return &o.above[i], &o.below[i] }
