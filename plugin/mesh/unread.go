package mesh

import (
	"context"
	"slices"
	"strings"
	"sync"

	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/mesh-split/mesh-split/plugin/route"
)

// Unread says what keeps the istiods that feed gateway pods from reading a route object, the Gateways it is bound to, or the
// Service that says where the pods listen: the cause, where something should be live and never is. It reads istiod's pods, its
// mesh config, labels of namespaces and of the Gateways. Each of these rights is optional, and without it less is known.
func (c *Client) Unread(ctx context.Context, o Object, g *Gateways, pods []Pod) []route.Unread {
	var found []route.Unread
	say := func(u *route.Unread) {
		if u != nil && !slices.Contains(found, *u) {
			found = append(found, *u)
		}
	}
	gateways, istiods := c.gatewayMetadata(ctx, o, g), c.istiods(ctx)
	needed := slices.Concat([]route.Object{o.Object}, gateways, g.service())
	type feed struct{ revision, namespace string }
	seen := map[feed]bool{}
	for _, p := range pods {
		revision := revisionOf(p, istiods)
		f := feed{revision, p.Namespace}
		if seen[f] {
			continue
		}
		seen[f] = true
		i := c.istiod(ctx, revision, istiods, needed)
		for _, object := range needed {
			say(i.Unread(object))
		}
		for _, gateway := range gateways {
			say(i.OutOfScope(gateway, p.Namespace))
		}
	}
	return found
}

// istiodPod is what a pod of istiod says of itself.
type istiodPod struct {
	namespace, revision string
	scoped              bool
}

// istiodPods are the pods of istiod, as its chart labels them; none where they may not be listed, or run outside of the cluster.
func (c *Client) istiodPods(ctx context.Context) []core.Pod {
	list, err := c.kube.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{LabelSelector: "app=istiod"})
	if err != nil {
		return nil
	}
	return list.Items
}

// istiods are what istiodPods say of themselves.
func (c *Client) istiods(ctx context.Context) (all []istiodPod) {
	for _, p := range c.istiodPods(ctx) {
		i := istiodPod{namespace: p.Namespace, revision: p.Labels[route.RevisionLabel]}
		for _, container := range p.Spec.Containers {
			for _, e := range container.Env {
				switch {
				case e.Name == "REVISION" && e.ValueFrom == nil:
					i.revision = e.Value
				case e.Name == "PILOT_SCOPE_GATEWAY_TO_NAMESPACE":
					i.scoped = isTrue(e)
				}
			}
		}
		all = append(all, i)
	}
	return all
}

// isTrue reads a variable as istiod does, by strconv.ParseBool.
func isTrue(e core.EnvVar) bool {
	return slices.Contains([]string{"1", "t", "T", "true", "TRUE", "True"}, e.Value)
}

// scoped are the revisions of istiods that let gateway pods take only Gateways of their own namespace, as pods name them: one that names
// none, which is "", is known to be fed so only where all istiods run so.
func scoped(istiods []istiodPod) (revisions []string) {
	all := len(istiods) > 0
	for _, i := range istiods {
		if all = all && i.scoped; i.scoped && i.revision != "" && !slices.Contains(revisions, i.revision) {
			revisions = append(revisions, i.revision)
		}
	}
	if all {
		revisions = append(revisions, "")
	}
	return revisions
}

// revisionOf is the revision of the istiod that feeds a gateway pod, "" if that is not known: the injector's annotation; the label,
// which asks for one and may name a tag, if an istiod has that revision; the only istiod there is.
func revisionOf(p Pod, istiods []istiodPod) string {
	if p.Revision != "" {
		return p.Revision
	}
	asked, only := p.Labels[route.RevisionLabel], ""
	for i, pod := range istiods {
		if pod.revision == asked && asked != "" {
			return asked
		}
		if only = pod.revision; i > 0 && only != istiods[0].revision {
			return ""
		}
	}
	return only
}

// istiod reads what is to be known of the istiod of a revision. Namespaces are read only where selectors may hide them.
func (c *Client) istiod(ctx context.Context, revision string, pods []istiodPod, objects []route.Object) route.Istiod {
	i, namespace := route.Istiod{Revision: revision, Namespaces: map[string]map[string]string{}}, istioNamespace
	for _, p := range pods {
		if p.revision == revision {
			namespace, i.Scoped = p.namespace, p.scoped
		}
	}
	name := configMapOf(revision)
	i.Config = namespace + "/" + name
	config, err := c.kube.CoreV1().ConfigMaps(namespace).Get(ctx, name, metav1.GetOptions{})
	if err == nil {
		i.Selectors = discoverySelectors(config.Data["mesh"])
	}
	if len(i.Selectors) == 0 {
		return i
	}
	var group sync.WaitGroup
	var mutex sync.Mutex // guards i.Namespaces
	for _, name := range namespacesOf(objects) {
		group.Go(func() {
			n, err := c.kube.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
			if err == nil {
				mutex.Lock()
				i.Namespaces[name] = n.Labels
				mutex.Unlock()
			}
		})
	}
	group.Wait()
	return i
}

// configMapOf is the name of the ConfigMap with the mesh config of a revision. istio pilot/pkg/bootstrap getMeshConfigMapName.
func configMapOf(revision string) string {
	if revision == "" || revision == "default" {
		return "istio"
	}
	return "istio-" + revision
}

func discoverySelectors(mesh string) []route.Object {
	var config struct {
		Selectors []route.Object `json:"discoverySelectors"`
	}
	if yaml.Unmarshal([]byte(mesh), &config) != nil {
		return nil
	}
	return config.Selectors
}

func namespacesOf(objects []route.Object) []string {
	names := map[string]bool{}
	for _, o := range objects {
		metadata, _ := o["metadata"].(map[string]any)
		name, _ := metadata["namespace"].(string)
		names[name] = true
	}
	return keys(names)
}

// service is the Service before the pods, if it is known.
func (g *Gateways) service() []route.Object {
	namespace, name, ok := strings.Cut(g.Service, "/")
	if !ok {
		return nil
	}
	return []route.Object{{"kind": "Service", "apiVersion": "v1", "metadata": map[string]any{"namespace": namespace, "name": name}}}
}

// gatewayMetadata are the Gateways of a route object without their spec; of one that could not be read only the name is known.
func (c *Client) gatewayMetadata(ctx context.Context, o Object, g *Gateways) (all []route.Object) {
	for _, full := range g.Names {
		namespace, name, _ := strings.Cut(full, "/")
		metadata := map[string]any{"namespace": namespace, "name": name}
		gateway := route.Object{"kind": "Gateway", "apiVersion": o.Kind.Group + "/v1", "metadata": metadata}
		if o.Kind.Name == VirtualService.Name {
			if got, err := c.istio.NetworkingV1().Gateways(namespace).Get(ctx, name, metav1.GetOptions{}); err == nil {
				labels := map[string]any{}
				for k, v := range got.Labels {
					labels[k] = v
				}
				metadata["labels"] = labels
			}
		}
		all = append(all, gateway)
	}
	return all
}
