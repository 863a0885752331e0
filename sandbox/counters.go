//go:build unix

package sandbox

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Counters are what the gateways' Envoys have counted: requests sent upstream since each Envoy started, by pod, then by
// destination host.
type Counters map[string]map[string]uint64

// Total sums over the pods.
func (c Counters) Total(host string) uint64 {
	var n uint64
	for _, byHost := range c {
		n += byHost[host]
	}
	return n
}

// Since returns the differences to an earlier reading.
func (c Counters) Since(before Counters) Counters {
	d := Counters{}
	for pod, byHost := range c {
		d[pod] = map[string]uint64{}
		for host, n := range byHost {
			d[pod][host] = n - before[pod][host]
		}
	}
	return d
}

// EnvoyCounters reads cluster.outbound|PORT|SUBSET|HOST;.upstream_rq_total of every gateway that runs.
// A destination of weight 0 may have no counter: istiod sends clusters that no route names, yet a count of 0 is the same.
func (s *Sandbox) EnvoyCounters(ctx context.Context) (Counters, error) {
	all := Counters{}
	for _, g := range s.Gateways() {
		if !g.Running || g.Frozen {
			continue
		}
		byHost, err := upstreamRequests(ctx, g.AdminURL)
		if err != nil {
			return nil, fmt.Errorf("reading counters of %s: %w", g.Pod, err)
		}
		all[g.Pod] = byHost
	}
	return all, nil
}

func upstreamRequests(ctx context.Context, admin string) (map[string]uint64, error) {
	const pattern = `/stats?filter=^cluster\.outbound.*\.upstream_rq_total$`
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, admin+pattern, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	byHost := map[string]uint64{}
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() { // cluster.outbound|80||flaskapp.prod.svc.cluster.local;.upstream_rq_total: 123
		name, count, _ := strings.Cut(lines.Text(), ": ")
		name = strings.TrimSuffix(strings.TrimPrefix(name, "cluster."), ".upstream_rq_total")
		parts := strings.Split(strings.TrimSuffix(name, ";"), "|")
		if len(parts) != 4 {
			return nil, fmt.Errorf("not a counter of an Istio cluster: %q", lines.Text())
		}
		n, err := strconv.ParseUint(count, 10, 64)
		if err != nil {
			return nil, err
		}
		byHost[parts[3]] += n // subsets and ports of one host are one destination
	}
	return byHost, lines.Err()
}
