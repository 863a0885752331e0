package vector

import (
	"encoding/json"
	"fmt"

	"github.com/mesh-split/mesh-split/verify/load"
)

// checkPrefix plays requests through the ledger that the load engines use: at a look in epoch e every request stamped e or
// earlier has left, and those whose time has come have their outcome.
func checkPrefix(c *checker, raw json.RawMessage) error {
	var v struct {
		Versions int
		Requests [][3]int64 // epoch, version, time its outcome is known
		Looks    []struct {
			Now    int64
			Epoch  int64
			Closed uint64
			Counts []uint64
			U      uint64
		}
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	labels := map[int64]int{-1: load.Unattributed, -2: load.NeverRouted}
	for i := range v.Versions {
		labels[int64(i)] = i
	}
	var ledger load.Ledger
	var e load.Evidence
	opened, resolved := make([]bool, len(v.Requests)), make([]bool, len(v.Requests))
	for i, look := range v.Looks {
		for j, r := range v.Requests {
			label, ok := labels[r[1]]
			if !ok || r[0] < 0 {
				return fmt.Errorf("request %v has no such epoch or version", r)
			}
			if !opened[j] && r[0] <= look.Epoch {
				ledger.Open(uint64(r[0]))
				opened[j] = true
			}
			if opened[j] && !resolved[j] && r[2] <= look.Now {
				ledger.Resolve(uint64(r[0]), label, 0)
				resolved[j] = true
			}
		}
		closed := ledger.Prefix(uint64(look.Epoch))
		ledger.Evidence(&e, v.Versions)
		c.equal(fmt.Sprintf("looks[%d] closed", i), closed, look.Closed)
		c.equal(fmt.Sprintf("looks[%d] counts", i), e.Counts, look.Counts)
		c.equal(fmt.Sprintf("looks[%d] u", i), e.Unattributed, look.U)
	}
	return nil
}
