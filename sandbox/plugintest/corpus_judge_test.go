//go:build unix

package plugintest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/mesh-split/mesh-split/sandbox"
)

// kinds of refusals by the words that people see, for programs that print no name of them, and their exit codes.
var kinds = map[string]struct {
	says string
	exit int
}{
	"E_AMBIGUOUS_DEST":      {"fits", 2},
	"E_UNKNOWN_DEST":        {"only destination", 2},
	"E_ROUTE_NOT_GOVERNING": {"govern", 5},
	"E_MESH_ONLY":           {"only to the mesh", 5},
	"E_DELEGATE_DROPPED":    {"gives no route", 5},
	"E_NO_WEIGHTS":          {"in place of destinations", 5},
	"E_NO_SERVICE":          {"no Service", 5},
	"E_NO_SUBSET":           {"subset", 5},
	"E_SUBSET_SHADOWED":     {"hides", 5},
	"E_NO_ENDPOINTS":        {"ready", 5},
	"E_NO_PORT":             {"port", 5},
	"E_OWNED":               {"belongs to", 5},
	"E_CHANGED":             {"changed", 5},
}

// answers are what the gateway itself says to a request that no entry governs.
var answers = map[string]int{
	"E_NO_ROUTE": http.StatusNotFound, "E_NOT_EXPORTED": http.StatusNotFound, "E_HOST_NOT_SERVED": http.StatusNotFound, "E_REDIRECTS": http.StatusMovedPermanently,
}

// run runs the plugin in a namespace.
func (b *board) run(namespace string, words ...string) (stdout, stderr string, exit int) {
	return b.runWith(shared.Kubeconfig(), namespace, words...)
}

func (b *board) runWith(kubeconfig, namespace string, words ...string) (stdout, stderr string, exit int) {
	c := plugin(b.Context(), b.path, append(slices.Clone(words), "-n", namespace, "--kubeconfig", kubeconfig)...)
	var out, err bytes.Buffer
	c.Stdout, c.Stderr = &out, &err
	exit = code(c.Run())
	return out.String(), err.String(), exit
}

// explains compares `which` with the wish, from the objects alone and with the gateway's own dump, and the gateway's answer where
// nothing governs.
func (b *board) explains(c sketchCommand, want sketchWant) {
	b.Helper()
	ways := [][]string{{}, {"--dump", b.dump}}
	switch {
	case want.Error == "E_ORDER_UNDEFINED":
		ways = ways[:1] // what no dump was asked for
	case strings.HasPrefix(want.Warns, "W_"), len(b.Facts) > 0:
		ways = ways[1:]
	}
	for _, way := range ways {
		out, complaints, exit := b.run(c.Namespace, append(append([]string{"which", "-o", "json"}, c.Words...), way...)...)
		var d struct {
			Governs, RouteConfig, VirtualHost string
			Error                             struct{ Name, Message string }
			Warnings                          []struct{ Name, Message string }
			Steps                             []struct{ Route, Fits string }
		}
		if err := json.Unmarshal([]byte(out), &d); err != nil {
			b.Fatalf("%v: %v\n%s%s", way, err, out, complaints)
		}
		if d.Error.Name != want.Error || d.Governs != want.Governs {
			b.Errorf("%v: governs %q, error %s %q; want %q, %s", way, d.Governs, d.Error.Name, d.Error.Message, want.Governs, want.Error)
		}
		if wantExit := map[bool]int{true: 5, false: 0}[want.Error != ""]; exit != wantExit {
			b.Errorf("%v: exit code %d, want %d", way, exit, wantExit)
		}
		b.mentions(d.Error.Message+complaints, want.Mentions)
		if said := fmt.Sprint(d.Warnings); !strings.Contains(said, want.Warns) {
			b.Errorf("%v: warnings %s do not say %q", way, said, want.Warns)
		}
		if name := strings.Replace(want.RouteConfig, "8080", fmt.Sprint(b.port), 1); name != "" && d.RouteConfig != name {
			b.Errorf("%v: route configuration %s, want %s", way, d.RouteConfig, name)
		}
		if want.VirtualHost != "" && d.VirtualHost != want.VirtualHost {
			b.Errorf("%v: virtual host %s, want %s", way, d.VirtualHost, want.VirtualHost)
		}
		if want.Governs != "" {
			b.inEnvoy(d.RouteConfig, d.VirtualHost, want)
		}
	}
	if status := answers[want.Error]; status != 0 {
		b.answers(c.Words[0], status)
	}
}

// inEnvoy checks that the route configuration and the virtual host are Envoy's, and that the virtual host has a route of the entry's
// object.
func (b *board) inEnvoy(config, host string, want sketchWant) {
	b.Helper()
	source, _, _ := strings.Cut(want.Governs, " ")
	if want.ConfigObject != "" {
		source = want.ConfigObject // that of the root, for a delegate
	}
	for _, c := range b.holds.Configs {
		for _, h := range c.Config.Hosts {
			if c.Config.Name == config && (h.Name == host || slices.Contains(h.Domains, host[:strings.LastIndexByte(host, ':')])) {
				if !slices.ContainsFunc(h.Routes, func(r sandbox.Route) bool {
					return r.Source() == source && (want.RouteName == "" || r.Name == want.RouteName)
				}) {
					b.Errorf("in Envoy %s of %s has no route %s of %s", host, config, want.RouteName, source)
				}
				b.at("Envoy")
				return
			}
		}
	}
	b.Errorf("in Envoy there is no %s of %s", host, config)
}

// answers asks the gateway.
func (b *board) answers(url string, status int) {
	b.Helper()
	request, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url, nil)
	if err != nil {
		b.Fatal(err)
	}
	request.URL.Host, request.Host = fmt.Sprintf("127.0.0.1:%d", b.port), request.URL.Host
	reply, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		b.Fatal(err)
	}
	reply.Body.Close()
	if reply.StatusCode != status {
		b.Errorf("the gateway answers %s with %s, want %d", url, reply.Status, status)
	}
	b.at("Envoy")
}

func (b *board) mentions(said string, words []string) {
	b.Helper()
	for _, w := range words {
		if !strings.Contains(said, w) {
			b.Errorf("%q does not mention %q", said, w)
		}
	}
}
