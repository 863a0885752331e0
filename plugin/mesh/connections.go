package mesh

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// routing is what a VirtualService routes: requests, or where it has no http entries connections, by tcp or tls entries.
type routing struct{ http, tcp, tls bool }

func routingOf(o Object) routing {
	has := func(section string) bool {
		list, _, _ := unstructured.NestedSlice(o.Object, "spec", section)
		return len(list) > 0
	}
	if has("http") || !has("tcp") && !has("tls") {
		return routing{http: true}
	}
	return routing{tcp: has("tcp"), tls: has("tls")}
}

// through says whether a server of a protocol leads to such routes: tls entries take what passes through with its TLS, tcp
// entries what is no HTTP to the gateway.
func (r routing) through(protocol string, passthrough bool) bool {
	switch {
	case passthrough:
		return r.tls
	case protocol == "TCP", protocol == "TLS":
		return r.tcp
	}
	return r.http && slices.Contains([]string{"HTTP", "HTTP2", "GRPC", "HTTPS"}, protocol)
}
