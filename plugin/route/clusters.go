package route

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/mesh-split/mesh-split/verify/fault"
)

// HostCounts are what one Envoy has counted for one endpoint since the endpoint came, or Envoy started.
type HostCounts struct {
	Total    uint64 // attempts sent there: a retry counts again
	Errors   uint64 // 5xx and resets among them, once they ended
	Timeouts uint64
	Active   uint64 // sent and not answered yet
}

// ClusterCounts are the counts of an Envoy, by cluster and endpoint.
type ClusterCounts map[string]map[string]HostCounts

// ParseClusters reads the answer of GET /clusters?format=json. Counters that are 0 have no value there.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/admin/v3/clusters.proto
func ParseClusters(data []byte) (ClusterCounts, error) {
	var doc struct {
		Statuses []struct {
			Name  string `json:"name"`
			Hosts []struct {
				Address json.RawMessage `json:"address"`
				Stats   []struct {
					Name  string `json:"name"`
					Value string `json:"value"` // a 64-bit number is a string in JSON of protocol buffers
				} `json:"stats"`
			} `json:"host_statuses"`
		} `json:"cluster_statuses"`
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fault.New(fault.Failed, "", "that is no answer to /clusters?format=json: %w", err)
	}
	out := ClusterCounts{}
	for _, cluster := range doc.Statuses {
		hosts := map[string]HostCounts{}
		for _, host := range cluster.Hosts {
			var h HostCounts
			for _, s := range host.Stats {
				into := map[string]*uint64{"rq_total": &h.Total, "rq_error": &h.Errors, "rq_timeout": &h.Timeouts, "rq_active": &h.Active}[s.Name]
				if into == nil || s.Value == "" {
					continue
				}
				n, err := strconv.ParseUint(s.Value, 10, 64)
				if err != nil {
					return nil, fault.New(fault.Failed, "", "counter %s of cluster %s: %w", printable(s.Name), printable(cluster.Name), err)
				}
				*into = n
			}
			hosts[string(host.Address)] = h
		}
		out[cluster.Name] = hosts
	}
	return out, nil
}

// Tally sums what one Envoy counted for the destinations of an entry between its first reading and the last one. Slices are
// indexed as the destinations; those that Envoy cannot tell apart are counted at the first of them.
type Tally struct {
	Requests, Errors, Timeouts []uint64
	Restarts                   int // readings whose counters had begun anew: what came between that and the reading before is lost
	Gone                       int // endpoints that went away, with what they got since the reading before

	entry Entry
	last  ClusterCounts
}

// NewTally counts from the first reading that is added.
func NewTally(e Entry) *Tally {
	n := len(e.Destinations)
	return &Tally{Requests: make([]uint64, n), Errors: make([]uint64, n), Timeouts: make([]uint64, n), entry: e}
}

// Add takes the next reading of the same Envoy. An endpoint that was not there before has counted from 0 since.
func (t *Tally) Add(now ClusterCounts) {
	if t.last == nil {
		t.last = now
		return
	}
	restarted := false
	for _, cluster := range slices.Sorted(maps.Keys(now)) {
		i := t.entry.destinationOf(cluster)
		if i < 0 {
			continue
		}
		for address, h := range now[cluster] {
			before := t.last[cluster][address]
			if h.Total < before.Total || h.Errors < before.Errors { // counters only grow: these began anew
				before, restarted = HostCounts{}, true
			}
			t.Requests[i] += h.Total - before.Total
			t.Errors[i] += h.Errors - before.Errors
			t.Timeouts[i] += h.Timeouts - min(before.Timeouts, h.Timeouts)
		}
		for address := range t.last[cluster] {
			if _, there := now[cluster][address]; !there {
				t.Gone++
			}
		}
	}
	if restarted {
		t.Restarts++
	}
	t.last = now
}

// Sum is how many requests were counted.
func (t *Tally) Sum() (n uint64) {
	for _, r := range t.Requests {
		n += r
	}
	return n
}

// ByCluster are the weights that a verification measures against, of destinations that Envoy cannot tell apart summed at the
// first.
func (e Entry) ByCluster() []int64 {
	out := make([]int64, len(e.Destinations))
	for i, t := range e.Targets() {
		out[e.first(i)] += t.Weight
	}
	return out
}

// Others are routes of an Envoy that send requests to destinations of the entry in other shares than the entry: their
// requests are counted at the same clusters, and cannot be told from the entry's.
func (d *Dump) Others(e Entry, o Origin) []string {
	var out []string
	for _, c := range d.Configs {
		for _, h := range c.VirtualHosts {
			mine, _ := h.routesOf(e, o)
			for _, r := range h.Routes {
				if slices.ContainsFunc(mine, func(m EnvoyRoute) bool {
					return m.Name == r.Name && m.Namespace == r.Namespace && m.Object == r.Object && same(m.Match, r.Match)
				}) {
					continue
				}
				if name := fmt.Sprintf("%s/%s", r.Namespace, r.Object); e.disturbedBy(r) && !slices.Contains(out, name) {
					out = append(out, name)
				}
			}
		}
	}
	return out
}

// disturbedBy says whether a route sends to a destination of the entry, and not in the entry's shares, or copies requests there.
func (e Entry) disturbedBy(r EnvoyRoute) bool {
	if slices.ContainsFunc(r.Mirrors, func(cluster string) bool { return e.destinationOf(cluster) >= 0 }) {
		return true
	}
	if !slices.ContainsFunc(r.Clusters, func(c ClusterWeight) bool { return c.Weight > 0 && e.destinationOf(c.Cluster) >= 0 }) {
		return false
	}
	weights, why := e.weightsOf(r)
	if why != "" {
		return true
	}
	want := e.summed()
	var sum, wantSum int64
	for i := range weights {
		sum, wantSum = sum+weights[i], wantSum+want[i]
	}
	for i := range weights {
		if weights[i]*wantSum != want[i]*sum {
			return true
		}
	}
	return false
}
