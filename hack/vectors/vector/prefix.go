package vector

import (
	"encoding/json"
	"fmt"

	"github.com/mesh-split/mesh-split/verify/load"
)

// checkPrefix plays requests through the recorder that the load engines use, each as a worker of its own: at a look in epoch e
// every request stamped e or earlier has left, and those whose time has come have their outcome.
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
	var names []string
	for i := range v.Versions {
		names = append(names, fmt.Sprintf("v%d", i+1))
	}
	for _, r := range v.Requests {
		if r[0] < 0 || r[1] < -2 || r[1] >= int64(v.Versions) {
			return fmt.Errorf("request %v has no such epoch or version", r)
		}
	}
	recorder := load.NewRecorder(names, &load.Plan{Connections: len(v.Requests), MaxRequests: uint64(len(v.Requests))})
	recorder.BeginEvidence()
	zero := recorder.Cut() // the recorder's epoch that is the vector's epoch 0
	hands, ended := make([]*load.Hand, len(v.Requests)), make([]bool, len(v.Requests))
	epoch, closed := int64(0), zero
	var e load.Evidence
	for i, look := range v.Looks {
		for {
			for j, r := range v.Requests {
				if r[0] == epoch && hands[j] == nil {
					hands[j] = recorder.Hand(j)
					hands[j].Send()
				}
			}
			if epoch >= look.Epoch {
				break
			}
			recorder.Cut()
			epoch++
		}
		for j, r := range v.Requests {
			if hands[j] == nil || ended[j] || r[2] > look.Now {
				continue
			}
			ended[j] = true
			switch r[1] {
			case load.NeverRouted:
				hands[j].End(load.DialError, "")
			case load.Unattributed:
				hands[j].End(load.NoLabel, "")
			default:
				hands[j].End(load.Answered, names[r[1]])
			}
		}
		for closed < zero+uint64(epoch) && recorder.EvidenceBefore(closed+1, &e) {
			closed++
		}
		recorder.EvidenceBefore(closed, &e)
		c.equal(fmt.Sprintf("looks[%d] closed", i), closed-zero, look.Closed)
		c.equal(fmt.Sprintf("looks[%d] counts", i), e.Counts, look.Counts)
		c.equal(fmt.Sprintf("looks[%d] u", i), e.Unattributed, look.U)
	}
	return nil
}
