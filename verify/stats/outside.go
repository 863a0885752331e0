package stats

// Outside is the e-process that FAIL collects: the mean over all sides of all bands of the evidence that a share is beyond
// that side, with uniform alternatives. Its null is "every share is in its closed band"; sides whose edge is 0 or 1 have
// nothing beyond them and are left out.
type Outside struct {
	above, below []Side // per version; zero Sides do not exist
}

// NewOutside makes the process for these bands.
func NewOutside(bands []Band) *Outside {
	o := &Outside{make([]Side, len(bands)), make([]Side, len(bands))}
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

// Sides are the two parts of version i; either may not exist.
func (o *Outside) Sides(i int) (above, below *Side) { return &o.above[i], &o.below[i] }
