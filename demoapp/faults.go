package main

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// faults is what the application does wrong, on purpose.
type faults struct {
	Latency     duration `json:"latency"`     // added before each reply, [0, 1 min]
	ErrorRate   float64  `json:"errorRate"`   // share of replies with ErrorStatus, [0, 1]
	ErrorStatus int      `json:"errorStatus"` // 400 to 599; 500 when not given
	Unready     bool     `json:"unready"`     // /readyz answers 503; requests are still served
}

// noFaults is a healthy application; a fault that is posted without a status answers 500.
func noFaults() *faults { return &faults{ErrorStatus: 500} }

// maxLatency keeps a typing mistake ("50m" for "50ms") from hanging every client.
const maxLatency = time.Minute

// parseFaults reads one JSON object, refuses unknown fields and reports every value out of range at once.
func parseFaults(decoder *json.Decoder) (*faults, error) {
	f := noFaults()
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(f); err != nil {
		return nil, err
	}
	var wrong []error
	if latency := time.Duration(f.Latency); latency < 0 || latency > maxLatency {
		wrong = append(wrong, fmt.Errorf("latency %v is not within 0 and %v", latency, maxLatency))
	}
	if !(f.ErrorRate >= 0 && f.ErrorRate <= 1) {
		wrong = append(wrong, fmt.Errorf("errorRate %v is not within 0 and 1", f.ErrorRate))
	}
	if f.ErrorStatus < 400 || f.ErrorStatus > 599 {
		wrong = append(wrong, fmt.Errorf("errorStatus %d is not within 400 and 599", f.ErrorStatus))
	}
	return f, errors.Join(wrong...)
}

// hits draws whether the request of this number fails. The draw is SplitMix64 of the number: the same sequence in each run
// and no shared generator to lock, yet without the period that "every n-th" would have, which a gateway's own rotation
// could fall in step with.
//
// Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators, OOPSLA 2014, doi:10.1145/2660193.2660195.
func (f *faults) hits(number uint64) bool {
	if f.ErrorRate == 0 {
		return false
	}
	z := number * 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	z ^= z >> 31
	return float64(z>>11)/(1<<53) < f.ErrorRate // the upper 53 bits, in [0, 1)
}

// duration is a time.Duration whose JSON form is "50ms".
type duration time.Duration

var (
	_ encoding.TextMarshaler   = duration(0)
	_ encoding.TextUnmarshaler = (*duration)(nil)
)

func (d duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

func (d *duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = duration(parsed)
	return err
}
