package mesh

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Parents are the gateways that a route object names, as it names them: spec.gateways of a VirtualService, else the Gateways
// of spec.parentRefs as NAME or NAMESPACE/NAME.
func Parents(o Object) []string {
	if o.Kind.Name == VirtualService.Name {
		names, _, _ := unstructured.NestedStringSlice(o.Object, "spec", "gateways") // the CRD's schema holds the type
		return names
	}
	var names []string
	refs, _, _ := unstructured.NestedSlice(o.Object, "spec", "parentRefs")
	for _, r := range refs {
		ref, _ := r.(map[string]any)
		name, _ := ref["name"].(string)
		if namespace, _ := ref["namespace"].(string); namespace != "" {
			name = namespace + "/" + name
		}
		names = append(names, name)
	}
	return names
}
