package verify

import (
	"strconv"

	"github.com/mesh-split/mesh-split/verify/load"
)

// statuses counts replies by status code, those of 2xx together; nil without any.
func statuses(of ...*load.VersionStats) map[string]uint64 {
	counts := map[string]uint64{}
	for _, v := range of {
		if n := v.Status[2]; n > 0 {
			counts["2xx"] += n
		}
		for code, n := range v.Codes {
			counts[strconv.Itoa(code)] += n
		}
	}
	if len(counts) == 0 {
		return nil
	}
	return counts
}

func pointers(list []load.VersionStats) (all []*load.VersionStats) {
	for i := range list {
		all = append(all, &list[i])
	}
	return all
}
