package report

import (
	"fmt"
	"io"
	"math"
	"slices"
)

// maxPeers is how many addresses a person is shown; a document holds all.
const maxPeers = 8

// WritePeers writes a row per address, when there was more than one: the share that each version got there. Of many
// addresses those that differ most are written.
func WritePeers(w io.Writer, r *Verification) {
	if len(r.Peers) < 2 {
		return
	}
	header := []string{"address", "requests"}
	var versions []Version
	for _, v := range r.Versions {
		if v.Requests > 0 {
			versions = append(versions, v)
			header = append(header, Safe(v.Name))
		}
	}
	peers := r.Peers
	if len(peers) > maxPeers {
		peers = slices.Clone(peers)
		slices.SortStableFunc(peers, func(a, b Peer) int {
			if x, y := a.distance(versions), b.distance(versions); x != y {
				return map[bool]int{true: -1, false: 1}[x > y]
			}
			return 0
		})
		peers = peers[:maxPeers]
	}
	header = append(header, "errors")
	dead := slices.ContainsFunc(r.Peers, func(p Peer) bool { return p.NeverSent > 0 })
	if dead {
		header = append(header, neverSent)
	}
	rows := [][]string{header}
	for _, p := range peers {
		row := []string{Safe(p.Address), Count(p.Requests)}
		for _, v := range versions {
			share := "–"
			if p.Requests > 0 {
				share = Exact(p.Shares[v.Name], 1)
			}
			row = append(row, share)
		}
		row = append(row, Count(p.Errors))
		if dead {
			row = append(row, Count(p.NeverSent))
		}
		rows = append(rows, row)
	}
	WriteColumns(w, rows)
	if more := len(r.Peers) - len(peers); more > 0 {
		fmt.Fprintf(w, "  note  %d more addresses differ less; -o json lists them\n\n", more)
	}
}

// distance is how far an address lies from what all of them together saw, in standard deviations of so few requests.
func (p *Peer) distance(versions []Version) (most float64) {
	for _, v := range versions {
		sd := math.Sqrt(v.Observed * (1 - v.Observed) / float64(max(p.Requests, 1)))
		most = max(most, math.Abs(p.Shares[v.Name]-v.Observed)/max(sd, 1e-9))
	}
	if p.NeverSent > 0 {
		return math.MaxFloat64 // nobody is there, or only sometimes
	}
	if p.Requests == 0 {
		return 0
	}
	return most
}
