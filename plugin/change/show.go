package change

import (
	"fmt"

	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/verify/report"
)

// showWeights is the diff as people read it, below the name of the entry where there are several.
func (c *course) showWeights() {
	for _, change := range c.plan.Changes {
		if len(c.plan.Changes) > 1 {
			c.screen.Line("  %s", report.Safe(change.Entry.Label()))
		}
		report.WriteColumns(c.screen.Out(), weightRows(change))
	}
}

func weightRows(change route.Change) [][]string {
	before, after, weights := change.Entry.Shares(), change.Shares(), change.Weights()
	rows := [][]string{{"destination", "weight", "share"}}
	for i, d := range change.Entry.Destinations {
		name := d.FQDN
		if name == "" {
			name = d.Host
		}
		if d.Subset != "" {
			name += "/" + d.Subset
		}
		if d.Port != 0 {
			name += fmt.Sprintf(":%d", d.Port)
		}
		weight, share := fmt.Sprint(d.Effective), "–"
		if before != nil {
			share = report.Percent(float(before[i]), 4)
		}
		if weights[i] != d.Effective {
			weight += fmt.Sprintf(" -> %d", weights[i])
			if after != nil {
				share += " -> " + report.Percent(float(after[i]), 4)
			}
		}
		rows = append(rows, []string{report.Safe(name), weight, share})
	}
	return rows
}

func float(r interface{ Float64() (float64, bool) }) float64 {
	f, _ := r.Float64()
	return f
}
