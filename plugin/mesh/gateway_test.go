package mesh

import (
	"slices"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/intstr"

	networking "istio.io/api/networking/v1alpha3"
)

func TestGatewayName(t *testing.T) {
	for _, tt := range []struct{ text, namespace, name string }{
		{"gw", "shop", "gw"}, // in the VirtualService's own namespace
		{"./gw", "shop", "gw"},
		{"istio-ingress/gw", "istio-ingress", "gw"},
		{"gw.istio-ingress.svc.cluster.local", "istio-ingress", "gw"}, // the old spelling
	} {
		if namespace, name := gatewayName(tt.text, "shop"); namespace != tt.namespace || name != tt.name {
			t.Errorf("gatewayName(%q) = %s/%s, want %s/%s", tt.text, namespace, name, tt.namespace, tt.name)
		}
	}
}

func TestOverlap(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"*", "shop.example.com", true},
		{"*.example.com", "Shop.example.com", true}, // hosts fold case
		{"*.example.com", "*.shop.example.com", true},
		{"shop.example.com", "shop.example.com", true},
		{"*.example.com", "example.com", false}, // the wildcard needs a label
		{"shop.example.com", "cart.example.com", false},
	} {
		if got := overlap(tt.a, tt.b); got != tt.want {
			t.Errorf("overlap(%q, %q) = %v, want %v", tt.a, tt.b, got, tt.want)
		}
	}
}

func server(port uint32, protocol string, tls *networking.ServerTLSSettings, hosts ...string) *networking.Server {
	return &networking.Server{Port: &networking.Port{Number: port, Protocol: protocol}, Tls: tls, Hosts: hosts}
}

func TestServing(t *testing.T) {
	for _, tt := range []struct {
		name   string
		server *networking.Server
		want   bool
	}{
		{"a server for every host", server(80, "HTTP", nil, "*"), true},
		{"a server that admits the VirtualService's namespace", server(80, "HTTP", nil, "shop/*.example.com"), true},
		{"TLS that ends at the gateway", server(443, "HTTPS", &networking.ServerTLSSettings{Mode: networking.ServerTLSSettings_SIMPLE}, "*"), true},
		{"another namespace's server", server(80, "HTTP", nil, "cart/*"), false},
		{"a server of the Gateway's namespace only", server(80, "HTTP", nil, "./*"), false},
		{"passthrough has no HTTP routes", server(443, "HTTPS", &networking.ServerTLSSettings{Mode: networking.ServerTLSSettings_PASSTHROUGH}, "*"), false},
		{"a server that only redirects", server(80, "HTTP", &networking.ServerTLSSettings{HttpsRedirect: true}, "*"), false},
		{"plain TCP", server(9000, "TCP", nil, "*"), false},
		{"another host", server(80, "HTTP", nil, "cart.example.com"), false},
	} {
		g := &networking.Gateway{Servers: []*networking.Server{tt.server}}
		if got := len(serving(g, "istio-ingress", "shop", []string{"shop.example.com"}, routing{http: true})) == 1; got != tt.want {
			t.Errorf("%s: serving = %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestAddresses(t *testing.T) {
	service := core.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "istio-ingress", Name: "ing"}, Spec: core.ServiceSpec{
		ClusterIP: "10.0.0.7",
		Ports: []core.ServicePort{
			{Name: "status-port", Port: 15021, NodePort: 30021},
			{Name: "http2", Port: 80, NodePort: 31380, TargetPort: intstr.FromInt32(8080)},
		},
	}}
	pods := []Pod{{Namespace: "istio-ingress", Name: "ing-1", HostIP: "192.0.2.1", Ready: true},
		{Namespace: "istio-ingress", Name: "ing-2", HostIP: "192.0.2.2", Ready: true},
		{Namespace: "istio-ingress", Name: "ing-3", HostIP: "192.0.2.3"}} // not ready: its node may lead nowhere
	balanced := *service.DeepCopy()
	balanced.Status.LoadBalancer.Ingress = []core.LoadBalancerIngress{{IP: "203.0.113.9"}, {Hostname: "lb.example.com"}}
	for _, tt := range []struct {
		name      string
		service   core.Service
		inCluster bool
		want      []string
	}{
		{"what users come through goes first", balanced, false, []string{"http://203.0.113.9:80", "http://lb.example.com:80", "http://192.0.2.1:31380", "http://ing-1"}},
		{"without a load balancer, the nodes of the pods", service, false, []string{"http://192.0.2.1:31380", "http://ing-1"}},
		{"in a pod, the ClusterIP goes before the detour", service, true, []string{"http://192.0.2.1:31380", "http://10.0.0.7:80", "http://ing-1"}},
	} {
		c := &Client{InCluster: tt.inCluster}
		g := &Gateways{Server: Server{Port: 80}, Pods: pods, services: []core.Service{tt.service}}
		var got []string
		for _, a := range c.Addresses(g) {
			got = append(got, a.URL)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	own := &Gateways{Server: Server{Port: 80}, Pods: pods, services: []core.Service{service},
		addresses: []string{"10.0.0.7", "gw-istio.shop.svc.cluster.local", "198.51.100.4"}}
	if got := (&Client{}).Addresses(own)[:2]; got[0].URL != "http://198.51.100.4:80" || got[1].URL != "http://192.0.2.1:31380" {
		t.Errorf("a Gateway's status: %v; want its outer address first, and no names or addresses of inside the cluster", got)
	}
	g := &Gateways{Server: Server{Port: 80}, Pods: pods, services: []core.Service{service}}
	nodes := (&Client{}).Addresses(g)[0]
	if want := []string{"192.0.2.1:31380", "192.0.2.2:31380"}; !slices.Equal(nodes.Addresses, want) {
		t.Errorf("with externalTrafficPolicy Local each node leads to its own pods: addresses %v, want %v", nodes.Addresses, want)
	}
}

func TestParseAddress(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"http://127.0.0.1:31380", "http://127.0.0.1:31380"},
		{"https://shop.example.com/cart", "https://shop.example.com/cart"},
		{"localhost:8080", "http://localhost:8080"},
		{"localhost", ""},
		{"ftp://localhost", ""},
		{"http://me:secret@localhost", ""}, // a password would end up in reports
	} {
		a, err := ParseAddress(tt.text)
		if (err != nil) != (tt.want == "") || a.URL != tt.want {
			t.Errorf("ParseAddress(%q) = %q, %v, want %q", tt.text, a.URL, err, tt.want)
		}
	}
}

func TestPauseIsPolite(t *testing.T) {
	for _, tt := range []struct {
		name          string
		elapsed, cost time.Duration
		want          time.Duration
	}{
		{"at first every 25 ms", 0, time.Millisecond, 25 * time.Millisecond},
		{"a costly dump is asked for no more than a twentieth of the time", 0, 10 * time.Millisecond, 200 * time.Millisecond},
		{"after 2 s every 100 ms", 3 * time.Second, 0, 100 * time.Millisecond},
		{"after 10 s every second", time.Minute, 0, time.Second},
	} {
		if got := pause(tt.elapsed, tt.cost); got != tt.want {
			t.Errorf("%s: pause(%v, %v) = %v, want %v", tt.name, tt.elapsed, tt.cost, got, tt.want)
		}
	}
}

// tcp and tls entries are reached by servers of their own kind, and http entries by none of those.
func TestServingConnections(t *testing.T) {
	pass := &networking.ServerTLSSettings{Mode: networking.ServerTLSSettings_PASSTHROUGH}
	ends := &networking.ServerTLSSettings{Mode: networking.ServerTLSSettings_SIMPLE}
	object := func(sections ...string) Object {
		spec := map[string]any{}
		for _, s := range sections {
			spec[s] = []any{map[string]any{}}
		}
		return Object{VirtualService, &unstructured.Unstructured{Object: map[string]any{"spec": spec}}}
	}
	for _, tt := range []struct {
		name   string
		object Object
		server *networking.Server
		want   bool
	}{
		{"connections through a tcp server", object("tcp"), server(5432, "TCP", nil, "*"), true},
		{"TLS that ends at the gateway, and is no HTTP behind it", object("tcp"), server(5432, "TLS", ends, "*"), true},
		{"TLS that passes through", object("tls"), server(443, "TLS", pass, "*"), true},
		{"HTTPS that passes through", object("tls"), server(443, "HTTPS", pass, "*"), true},
		{"tcp entries behind an HTTP server", object("tcp"), server(80, "HTTP", nil, "*"), false},
		{"tls entries where TLS ends", object("tls"), server(443, "HTTPS", ends, "*"), false},
		{"http entries behind a tcp server", object("http", "tcp"), server(5432, "TCP", nil, "*"), false},
		{"no entries at all yet", object(), server(80, "HTTP", nil, "*"), true},
	} {
		got := serving(&networking.Gateway{Servers: []*networking.Server{tt.server}}, "istio-ingress", "shop", []string{"*"}, routingOf(tt.object))
		if len(got) == 1 != tt.want || tt.want && got[0].Raw == routingOf(tt.object).http {
			t.Errorf("%s: %+v, want %v", tt.name, got, tt.want)
		}
	}
}

// The scheme of a URL chooses the server, and its port where several have that scheme.
func TestToward(t *testing.T) {
	for _, tt := range []struct {
		scheme string
		port   int
		want   uint32 // 0: none
	}{
		{"http", 0, 80}, {"http", 8080, 8080}, {"http", 31380, 80}, {"https", 0, 443}, {"https", 8443, 443},
	} {
		g := &Gateways{servers: []Server{{Port: 80}, {Port: 5432, Raw: true}, {Port: 443, TLS: true}, {Port: 8080}}}
		if there := g.Toward(tt.scheme, tt.port); !there || g.Server.Port != tt.want || g.Server.TLS != (tt.scheme == "https") {
			t.Errorf("%s %d: %v, %+v; want port %d", tt.scheme, tt.port, there, g.Server, tt.want)
		}
	}
	g := &Gateways{servers: []Server{{Port: 80}}, Server: Server{Port: 80}}
	if g.Toward("https", 443) || g.Server.Port != 80 {
		t.Errorf("a server of no such scheme: %+v", g.Server)
	}
}
