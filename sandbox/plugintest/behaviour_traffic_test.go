//go:build unix

package plugintest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mesh-split/mesh-split/sandbox"
)

// reply is an answer through the gateway.
type reply struct {
	status  int
	version string // of the application; empty when Envoy answered itself
	header  http.Header
	body    string
}

// askGateway sends a request for a host of NAME.example.com through the sandbox's gateways, on a connection of its own.
func askGateway(t testing.TB, host, path string) reply {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, shared.GatewayURL()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = host
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{r.StatusCode, r.Header.Get("x-app-version"), r.Header, strings.TrimSpace(string(body))}
}

// pushedWhen returns when the routes of an object on every gateway of the sandbox fit.
func pushedWhen(t testing.TB, source string, fits func([]sandbox.Route) bool) {
	t.Helper()
	for _, g := range shared.Gateways() {
		eventually(t, func() string {
			if d, _ := dumpOf(t, g.AdminURL); fits(d.MadeOf(source)) {
				return ""
			}
			return g.Pod + " has other routes of " + source
		})
	}
}

func present(routes []sandbox.Route) bool { return len(routes) > 0 }

// Question 1: what becomes of a zero sum that was stored past the webhook?
func TestBehaviourZeroSum(t *testing.T) {
	path, w := bin(t), newWorld(t)
	w.create(read(t, demoRoute("zero", "50", "50", "")))
	pushedWhen(t, "default/zero", present)
	back := w.pastWebhook()
	t.Cleanup(back)
	zero := `{spec: {http: [{route: [{destination: {host: flaskapp.prod.svc.cluster.local}, weight: 0}, {destination: {host: flaskapp.stage.svc.cluster.local}, weight: 0}]}]}}`
	w.merge("VirtualService", "default", "zero", "past", zero)
	// A neighbour written later tells when istiod has pushed, and whether it still reaches this gateway.
	w.create(read(t, demoRoute("zero-neighbour", "100", "0", "")))
	time.Sleep(3 * time.Second)
	var held string
	d, _ := dumpOf(t, shared.Gateways()[0].AdminURL)
	switch made := d.MadeOf("default/zero"); {
	case len(made) == 0:
		held = "no route of it is in Envoy"
	case made[0].Route.Cluster != "":
		held = "Envoy has one cluster, " + made[0].Route.Cluster
	default:
		held = "Envoy goes on with the weights it had, " + sortedWeights(made[0])
	}
	neighbour := "a neighbour that was written after it arrives"
	if !present(d.MadeOf("default/zero-neighbour")) {
		neighbour = "a neighbour that is written after it does not arrive, for Envoy takes no route configuration of this gateway any more"
	}
	answers := map[string]int{}
	for range 20 {
		r := askGateway(t, "zero.example.com", "/")
		answers[strings.TrimSpace(fmt.Sprint(r.status, " ", r.version))]++
	}
	get, _ := plugin(t.Context(), path, "get", "zero", "--no-headers").CombinedOutput()
	status, _ := plugin(t.Context(), path, "status", "zero", "--observe=0").CombinedOutput()
	back()
	out, err := plugin(t.Context(), path, "set", "zero", "stage=30").CombinedOutput()
	repaired := "`kubectl mesh-split set zero stage=30` ends that; the weights are then "
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	eventually(t, func() string {
		if d, _ := dumpOf(t, shared.Gateways()[0].AdminURL); !present(d.MadeOf("default/zero-neighbour")) {
			return "the neighbour has not arrived"
		}
		return ""
	})
	repaired += weightsOf(w.get("VirtualService", "default", "zero"))
	if !strings.Contains(string(get), "0/0") || !strings.Contains(string(status), "the weights sum to 0: Envoy refuses that") {
		t.Errorf("get and status do not say what is wrong:\n%s\n%s", get, status)
	}
	onPage(t, "zero-sum", fmt.Sprintf("A split of 50/50 becomes 0/0: %s; %s; requests are answered %s. %s.", held, neighbour, counted(answers), repaired))
}

func sortedWeights(r sandbox.Route) string {
	var all []string
	for cluster, weight := range r.Weights() {
		all = append(all, fmt.Sprintf("%s %d", cluster[strings.LastIndexByte(cluster, '|')+1:], weight))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// counted says kinds of answers, without numbers that chance makes.
func counted(answers map[string]int) string {
	var all []string
	for kind := range answers {
		all = append(all, kind)
	}
	slices.Sort(all)
	return strings.Join(all, " or ")
}

// Question 2: is a header that the route injects on the 503 that Envoy makes itself?
func TestBehaviourInjectedHeader(t *testing.T) {
	w := newWorld(t)
	w.create(read(t, `{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: empty, namespace: default}, spec: {
		hosts: [empty.default.svc.cluster.local], location: MESH_INTERNAL, resolution: STATIC, ports: [{number: 80, name: http, protocol: HTTP}]}}`))
	injected := func(host, value string) string {
		return fmt.Sprintf("{destination: {host: %s, port: {number: 80}}, headers: {response: {set: {x-mesh-split: %s}}}}", host, value)
	}
	w.create(read(t, `{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: injected, namespace: default}, spec: {
		hosts: [injected.example.com], gateways: [app-gateway], http: [
		{name: nobody, match: [{uri: {prefix: /uh}}], route: [`+injected("empty.default.svc.cluster.local", "v2")+`]},
		{name: nowhere, match: [{uri: {prefix: /nc}}], route: [`+injected("nowhere.default.svc.cluster.local", "v2")+`]},
		{name: split, match: [{uri: {prefix: /split}}], route: [
			{destination: {host: flaskapp.prod.svc.cluster.local}, weight: 50, headers: {response: {set: {x-mesh-split: v1}}}},
			{destination: {host: nowhere.default.svc.cluster.local, port: {number: 80}}, weight: 50, headers: {response: {set: {x-mesh-split: v2}}}}]},
		{name: well, route: [`+injected("flaskapp.prod.svc.cluster.local", "v1")+`]}]}}`))
	pushedWhen(t, "default/injected", func(routes []sandbox.Route) bool { return len(routes) == 4 })
	said := func(r reply) string {
		if value := r.header.Get("x-mesh-split"); value != "" {
			return fmt.Sprintf("%d with the header", r.status)
		}
		return fmt.Sprintf("%d without the header", r.status)
	}
	var well reply
	eventually(t, func() string {
		if well = askGateway(t, "injected.example.com", "/"); well.header.Get("x-mesh-split") != "v1" {
			return "the header is not injected"
		}
		return ""
	})
	var uh reply
	eventually(t, func() string { // routes may come a moment before their clusters
		if uh = askGateway(t, "injected.example.com", "/uh"); uh.body != "no healthy upstream" {
			return fmt.Sprintf("an empty cluster answers %d %q", uh.status, uh.body)
		}
		return ""
	})
	nc := askGateway(t, "injected.example.com", "/nc")
	if nc.version != "" || nc.body != "" {
		t.Errorf("this is no answer of Envoy: %+v", nc)
	}
	split := map[string]int{}
	for range 40 {
		r := askGateway(t, "injected.example.com", "/split")
		split[fmt.Sprintf("%d %q", r.status, r.header.Get("x-mesh-split"))]++
	}
	onPage(t, "injected-header", fmt.Sprintf("An answer of the application: %s. No healthy endpoint (UH): %s. No such cluster (NC): %s. A split between a version and a cluster that is not there: %s.",
		said(well), said(uh), said(nc), counted(split)))
}

// Question 3: do the counters of /clusters run on when weights change?
func TestBehaviourClusterCounters(t *testing.T) {
	path, w := bin(t), newWorld(t)
	w.create(read(t, demoRoute("counters", "50", "50", "")))
	run(t, path, "wait", "counters", "--for=live")
	type tally struct{ prod, stage uint64 }
	begin := clusterRequests(t)
	at, exact, falls := begin, true, false
	for _, step := range []string{"stage=50", "stage=100", "stage=0", "stage=30"} {
		run(t, path, "set", "counters", step)
		var seen tally
		for range 60 {
			switch r := askGateway(t, "counters.example.com", "/"); r.version {
			case "v1":
				seen.prod++
			case "v2":
				seen.stage++
			}
		}
		now := clusterRequests(t)
		falls = falls || now[prod] < at[prod] || now[stage] < at[stage]
		exact = exact && now[prod]-at[prod] == seen.prod && now[stage]-at[stage] == seen.stage && seen.prod+seen.stage == 60
		at = now
	}
	onPage(t, "cluster-counters", fmt.Sprintf("From 50/50 to 0/100, 100/0 and 70/30: `rq_total` %s, and its differences %s the replies of each version. A cluster of weight 0 %s its counter.",
		either(falls, "falls", "never falls"), either(exact, "are exactly", "are not"), either(at[prod] > begin[prod] && at[stage] > begin[stage], "keeps", "loses")))
}

// clusterRequests sums rq_total of /clusters by host over all gateways.
func clusterRequests(t testing.TB) map[string]uint64 {
	t.Helper()
	all := map[string]uint64{}
	for _, g := range shared.Gateways() {
		var doc struct {
			Clusters []struct {
				Name  string `json:"name"`
				Hosts []struct {
					Stats []struct {
						Name  string `json:"name"`
						Value string `json:"value"`
					} `json:"stats"`
				} `json:"host_statuses"`
			} `json:"cluster_statuses"`
		}
		r, err := http.Get(g.AdminURL + "/clusters?format=json")
		if err != nil {
			t.Fatal(err)
		}
		err = json.NewDecoder(r.Body).Decode(&doc)
		r.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range doc.Clusters {
			for _, h := range c.Hosts {
				for _, s := range h.Stats {
					if s.Name == "rq_total" {
						var n uint64
						fmt.Sscan(s.Value, &n)
						all[c.Name[strings.LastIndexByte(c.Name, '|')+1:]] += n
					}
				}
			}
		}
	}
	return all
}
