package mesh

import (
	"slices"

	"github.com/mesh-split/mesh-split/plugin/route"
)

// Has says whether a decoded pod is one of the gateways'.
func (g *Gateways) Has(pod route.Object) bool {
	metadata, _ := pod["metadata"].(map[string]any)
	return slices.ContainsFunc(g.Pods, func(p Pod) bool { return metadata["namespace"] == p.Namespace && metadata["name"] == p.Name })
}

// Plain are the pods in the form that plugin/route reads, as far as they are known here.
func (g *Gateways) Plain() []route.Object {
	var out []route.Object
	for _, p := range g.Pods {
		labels := map[string]any{}
		for k, v := range p.Labels {
			labels[k] = v
		}
		out = append(out, route.Object{"kind": "Pod", "metadata": map[string]any{"namespace": p.Namespace, "name": p.Name, "labels": labels,
			"annotations": map[string]any{route.RevisionLabel: p.Revision}}})
	}
	return out
}
