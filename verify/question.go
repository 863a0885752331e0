package verify

import "github.com/mesh-split/mesh-split/verify/verdict"

// Question is what a Config asks of evidence that somebody else gathers, such as the counters of gateways: target, tolerance,
// error levels. Fields about sending are not looked at.
func (c Config) Question() (verdict.Question, error) {
	if c.Confidence == 0 {
		c.Confidence = DefaultConfidence
	}
	return c.question()
}
