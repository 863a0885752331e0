package load

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// The counts of a run travel as JSON, so that a worker can hand them to whoever joins several: names for outcomes, the
// buckets of a histogram that are not empty as pairs of index and count, times in nanoseconds.

var (
	_ json.Marshaler   = Histogram{}
	_ json.Unmarshaler = (*Histogram)(nil)
	_ json.Marshaler   = OutcomeCounts{}
	_ json.Unmarshaler = (*OutcomeCounts)(nil)
	_ json.Marshaler   = Examples{}
	_ json.Unmarshaler = (*Examples)(nil)
)

type histogramJSON struct {
	Count   uint64      `json:"count"`
	Clamped uint64      `json:"clamped,omitempty"`
	Sum     uint64      `json:"sum"`
	Max     uint64      `json:"max"`
	Buckets [][2]uint64 `json:"buckets"`
}

// IsZero says whether nothing was recorded.
func (h Histogram) IsZero() bool { return h.Count == 0 }

// MarshalJSON writes the counts exactly.
func (h Histogram) MarshalJSON() ([]byte, error) {
	out := histogramJSON{Count: h.Count, Clamped: h.Clamped, Sum: uint64(h.Sum), Max: uint64(h.Max), Buckets: [][2]uint64{}}
	if h.buckets != nil {
		for i, n := range h.buckets {
			if n > 0 {
				out.Buckets = append(out.Buckets, [2]uint64{uint64(i), n})
			}
		}
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads what MarshalJSON wrote; a histogram whose buckets do not sum up to its count is refused.
func (h *Histogram) UnmarshalJSON(data []byte) error {
	var in histogramJSON
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	out := Histogram{Count: in.Count, Clamped: in.Clamped, Sum: time.Duration(in.Sum), Max: time.Duration(in.Max)}
	var sum uint64
	for _, b := range in.Buckets {
		if b[0] >= histogramBuckets {
			return fmt.Errorf("histogram bucket %d; there are %d", b[0], histogramBuckets)
		}
		if out.buckets == nil {
			out.buckets = new([histogramBuckets]uint64)
		}
		out.buckets[b[0]] += b[1]
		sum += b[1]
	}
	if sum != in.Count || out.Clamped > sum || out.Sum < 0 || out.Max < 0 {
		return errors.New("histogram buckets do not sum up to the count")
	}
	*h = out
	return nil
}

// MarshalJSON writes the counts that are not zero, by name.
func (c OutcomeCounts) MarshalJSON() ([]byte, error) {
	named := map[string]uint64{}
	for o, n := range c {
		if n > 0 {
			named[Outcome(o).String()] = n
		}
	}
	return json.Marshal(named)
}

// UnmarshalJSON reads counts by name; an outcome that this program does not know is refused, for it cannot be judged.
func (c *OutcomeCounts) UnmarshalJSON(data []byte) error {
	var named map[string]uint64
	if err := json.Unmarshal(data, &named); err != nil {
		return err
	}
	*c = OutcomeCounts{}
	for _, o := range Outcomes() {
		c[o] = named[o.String()]
		delete(named, o.String())
	}
	for name := range named {
		return fmt.Errorf("outcome %q is not known", name)
	}
	return nil
}

// MarshalJSON writes the errors that there are, by name of the outcome.
func (e Examples) MarshalJSON() ([]byte, error) {
	named := map[string]string{}
	for o, text := range e {
		if text != "" {
			named[Outcome(o).String()] = text
		}
	}
	return json.Marshal(named)
}

// UnmarshalJSON reads errors by name; they are only shown, so those of unknown outcomes are left out.
func (e *Examples) UnmarshalJSON(data []byte) error {
	var named map[string]string
	if err := json.Unmarshal(data, &named); err != nil {
		return err
	}
	*e = Examples{}
	for _, o := range Outcomes() {
		e[o] = named[o.String()]
	}
	return nil
}
