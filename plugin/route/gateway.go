package route

import "strings"

// gatewayName makes a VirtualService's word for a Gateway "namespace/name": gw, ns/gw, ./gw, and the legacy gw.ns.… form.
// istio pilot/pkg/model resolveGatewayName.
func gatewayName(word, objectNamespace string) string {
	if word == "mesh" {
		return word
	}
	if ns, name, ok := strings.Cut(word, "/"); ok {
		if ns == "." {
			ns = objectNamespace
		}
		return ns + "/" + name
	}
	if name, rest, ok := strings.Cut(word, "."); ok {
		ns, _, _ := strings.Cut(rest, ".")
		return ns + "/" + name
	}
	return objectNamespace + "/" + word
}
