package mesh

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"time"

	core "k8s.io/api/core/v1"
)

// istiod is asked over its debug ports, the newer first; a request that comes by a port-forward comes from its own loopback, which
// needs no credentials of Istio.
const (
	synczPath  = "/debug/syncz?namespace="
	routesType = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
	synczTime  = 3 * time.Second // of one question: it is asked after something else has failed, and must not take as long
)

var istiodPorts = []int{15014, 8080}

// Nacks are the gateway pods whose Envoy refused the newest routes that istiod sent, each with Envoy's own words. Every istiod is
// asked, for each knows only the Envoys that are connected to it. What may not or cannot be asked is as good as silent: nothing
// depends on it but the words of a diagnosis.
func (c *Client) Nacks(ctx context.Context, g *Gateways) map[string]string {
	ctx, cancel := context.WithTimeout(ctx, synczTime)
	defer cancel()
	namespaces := map[string]bool{}
	for _, pod := range g.Pods {
		namespaces[pod.Namespace] = true
	}
	var (
		mutex sync.Mutex // guards nacks
		nacks = map[string]string{}
		group sync.WaitGroup
	)
	for _, p := range c.istiodPods(ctx) {
		if p.Status.Phase != core.PodRunning || !ready(&p) {
			continue
		}
		group.Go(func() {
			found := c.syncz(ctx, Pod{Namespace: p.Namespace, Name: p.Name}, keys(namespaces))
			mutex.Lock()
			defer mutex.Unlock()
			for pod, words := range found {
				nacks[pod] = words
			}
		})
	}
	group.Wait()
	return nacks
}

// syncz asks one istiod about the proxies of namespaces.
func (c *Client) syncz(ctx context.Context, istiod Pod, namespaces []string) map[string]string {
	forward, err := c.Forward(ctx, istiod)
	if err != nil {
		return nil
	}
	nacks := map[string]string{}
	for _, port := range istiodPorts {
		w := newForwardWay(forward, port)
		answered := false
		for _, namespace := range namespaces {
			data, err := w.get(ctx, synczPath+namespace)
			if err != nil {
				break
			}
			answered = true
			for pod, words := range refusedRoutes(data) {
				nacks[pod] = words
			}
		}
		w.http.CloseIdleConnections()
		if answered {
			break
		}
	}
	forward.Close()
	return nacks
}

// refusedRoutes reads an answer of /debug/syncz: by NAMESPACE/NAME of the proxy's pod, why it refused its routes. An error is kept
// there only until the next routes are accepted. istio pilot/pkg/xds/debug.go SyncStatus.
func refusedRoutes(data []byte) map[string]string {
	var proxies []struct {
		Proxy     string `json:"proxy"` // NAME.NAMESPACE
		Resources map[string]struct {
			LastError string `json:"lastError"`
		} `json:"resources"`
	}
	if json.Unmarshal(data, &proxies) != nil {
		return nil
	}
	out := map[string]string{}
	for _, p := range proxies {
		if words := p.Resources[routesType].LastError; words != "" {
			out[podOf(p.Proxy)] = reason(words)
		}
	}
	return out
}

// podOf makes NAMESPACE/NAME of a proxy's NAME.NAMESPACE; a namespace holds no dot.
func podOf(proxy string) string {
	at := strings.LastIndexByte(proxy, '.')
	if at < 0 {
		return proxy
	}
	return proxy[at+1:] + "/" + proxy[:at]
}

// reason leaves out what Envoy says before the reason: the whole configuration that it refused, as text.
func reason(words string) string {
	const most = 500
	if at := strings.LastIndex(words, "\n: "); at >= 0 {
		words = words[at+len("\n: "):]
	}
	if len(words) > most {
		words = strings.ToValidUTF8(words[:most], "") + "…"
	}
	return words
}
