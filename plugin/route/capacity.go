package route

import (
	"fmt"
	"math/big"
)

// PodLoad is what a change does to each ready pod of a destination whose share rises.
type PodLoad struct {
	Destination Destination
	Pods        int      // ready ones, at least 1
	Share       *big.Rat // after the change, in [0, 1]
	Times       *big.Rat // requests per pod after the change, over those of the pod that gets most now
}

// String is such as "stage: 1 ready pod, each gets 0.4 times what the busiest pod gets now".
func (l PodLoad) String() string {
	pods := "1 ready pod, it"
	if l.Pods != 1 {
		pods = fmt.Sprintf("%d ready pods, each", l.Pods)
	}
	return fmt.Sprintf("%s: %s gets %s times what the busiest pod gets now", printable(l.Destination.Short), pods, decimal(l.Times, 2))
}

// Rising are the destinations whose share grows: those that are checked, for lowering one is always well.
func (c Change) Rising() []Destination {
	before, after := c.Entry.Shares(), c.Shares()
	if after == nil {
		return nil
	}
	var out []Destination
	for i, d := range c.Entry.Destinations {
		if after[i].Sign() > 0 && (before == nil || after[i].Cmp(before[i]) > 0) {
			out = append(out, d)
		}
	}
	return out
}

// PodLoads compares the requests per ready pod before and after a change. Both sides are shares of the same traffic, so no
// rate need be known. Nil where the pods of some destination with requests are not known, or nobody gets requests now.
func (m *Mesh) PodLoads(c Change, from Place) []PodLoad {
	before, after, room := c.Entry.Shares(), c.Shares(), m.Room(c.Entry, from.Namespace)
	if before == nil || after == nil {
		return nil
	}
	for i, pods := range room {
		if pods < 0 && (before[i].Sign() > 0 || after[i].Sign() > 0) { // whoever gets nothing is of no concern
			return nil
		}
	}
	perPod := func(share *big.Rat, pods int) *big.Rat { return new(big.Rat).Quo(share, big.NewRat(int64(pods), 1)) }
	busiest := new(big.Rat)
	for i, pods := range room {
		if pods > 0 && perPod(before[i], pods).Cmp(busiest) > 0 {
			busiest = perPod(before[i], pods)
		}
	}
	var out []PodLoad
	for _, d := range c.Rising() {
		if pods := room[d.Index]; pods > 0 && busiest.Sign() > 0 {
			out = append(out, PodLoad{d, pods, after[d.Index], new(big.Rat).Quo(perPod(after[d.Index], pods), busiest)})
		}
	}
	return out
}

// Room is how many ready pods each destination has; -1 where that is not known.
func (m *Mesh) Room(e Entry, g string) []int {
	out := make([]int, len(e.Destinations))
	for i, d := range e.Destinations {
		out[i] = -1
		if d.Service == "" || m.service(d) == nil {
			continue
		}
		l, ok := subsetOf(m.rulesFor(d.FQDN, d.Namespace, g), d.Subset)
		if d.Subset != "" && !ok {
			continue
		}
		if n, kind := m.ready(d, l); kind == "" {
			out[i] = n
		}
	}
	return out
}
