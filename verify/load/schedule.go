package load

import (
	"math"
	"time"
)

// schedule gives each request its intended start: t(i) = start + (i − from)/R. While rising over the ramp D the rate is
// R·t/D, so that
//
//	t(i) = √(2 i D / R)          for i < R D / 2
//	t(i) = D + (i − R D / 2)/R   after that
//
// It is a pure function of the request's number; it knows no clock.
type schedule struct {
	rate  float64       // R, requests/s; 0: closed loop
	ramp  time.Duration // D
	from  uint64        // the first request's number
	start time.Duration // and its time
}

// at is when request i should be sent.
func (s schedule) at(i uint64) time.Duration {
	n, d := float64(i-s.from), s.ramp.Seconds()
	if rising := s.rate * d / 2; n < rising {
		return s.start + seconds(math.Sqrt(2*n*d/s.rate))
	} else {
		return s.start + seconds(d+(n-rising)/s.rate)
	}
}

// due is how many requests should have been sent before now, those before from included.
func (s schedule) due(now time.Duration) uint64 {
	t, d := (now - s.start).Seconds(), s.ramp.Seconds()
	switch {
	case t < 0:
		return s.from
	case t < d:
		return s.from + uint64(math.Ceil(s.rate*t*t/(2*d)))
	}
	return s.from + uint64(math.Ceil(s.rate*d/2+(t-d)*s.rate))
}

// rateAt is the rate asked for at a time.
func (s schedule) rateAt(now time.Duration) float64 {
	if t := now - s.start; t < s.ramp {
		return s.rate * t.Seconds() / s.ramp.Seconds()
	}
	return s.rate
}

// eased is the schedule from request next on at half the rate, at least 1/s. What was overdue is forgiven: to catch up
// would be to push harder.
func (s schedule) eased(now time.Duration, next uint64, rate float64) schedule {
	return schedule{rate: max(rate/2, 1), from: next, start: now}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
