package mesh

import (
	"context"
	"fmt"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	networking "istio.io/api/networking/v1alpha3"
	istiov1 "istio.io/client-go/pkg/apis/networking/v1"

	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/verify/fault"
)

// Gateways are the ingress gateways that serve a route object: where its weights have to arrive, and where load goes in.
type Gateways struct {
	Names     []string // namespace/name of the Gateway objects
	Server    Server   // the one that load is sent to
	Pods      []Pod    // of every Gateway, by namespace and name
	Service   string   // namespace/name of the Service in front of the pods, or ""
	selectors []selector
	services  []core.Service
	servers   []Server
	addresses []string // of status.addresses, with the Gateway API
}

// selector selects gateway pods, of one namespace or of all.
type selector struct {
	namespace string
	labels    map[string]string
}

func (s selector) String() string { return labels.SelectorFromSet(s.labels).String() }

// Server is a port that a Gateway opens for hosts of the route object.
type Server struct {
	Port  uint32 // as the Gateway says it: the Service's port, not the pod's
	TLS   bool
	Hosts []string
	Raw   bool // its routes are of connections, not of requests
}

// Pod is a gateway pod.
type Pod struct {
	Namespace, Name string
	HostIP          string
	Ready           bool
	Labels          map[string]string
	Container       string // that runs Envoy
	Revision        string // of the istiod that feeds it, as Istio's injector says; "" if it does not
}

func (p Pod) String() string { return p.Namespace + "/" + p.Name }

// Title is how the gateways are called in one line: by their Service, which people know, else by Gateway object.
func (g *Gateways) Title() string {
	name := g.Service
	if name == "" {
		name = strings.Join(g.Names, ", ")
	}
	if len(g.Pods) == 1 {
		return name + " (1 pod)"
	}
	return fmt.Sprintf("%s (%d pods)", name, len(g.Pods))
}

// Ready are the pods that take traffic.
func (g *Gateways) Ready() []Pod {
	return slices.DeleteFunc(slices.Clone(g.Pods), func(p Pod) bool { return !p.Ready })
}

// Gateways finds the gateways of route objects, of which there is one or more: the Gateway objects they name, their pods, the
// Service before those.
func (c *Client) Gateways(ctx context.Context, objects ...Object) (*Gateways, error) {
	g := &Gateways{}
	for _, o := range objects {
		find := c.istioServers
		if o.Kind.Name != VirtualService.Name {
			find = c.listeners
		}
		servers, err := find(ctx, o, g)
		if err != nil {
			return nil, err
		}
		g.servers = append(g.servers, servers...)
	}
	servers := g.servers
	g.Server = servers[0]
	for _, s := range servers { // plain HTTP first: it needs no certificate to be measured
		if !s.TLS {
			g.Server = s
			break
		}
	}
	if err := c.FindPods(ctx, g); err != nil {
		return nil, err
	}
	return g, c.findServices(ctx, g)
}

// istioServers reads the Gateways that a VirtualService names, and gives their servers for its hosts.
func (c *Client) istioServers(ctx context.Context, o Object, g *Gateways) ([]Server, error) {
	names := slices.DeleteFunc(Parents(o), func(n string) bool { return n == "mesh" })
	if len(names) == 0 {
		return nil, fault.New(fault.Refused, "sidecars apply it, and no gateway: verify it from a pod with mesh-verify",
			"%s is bound to no gateway, only to the mesh", o).Named("E_MESH_ONLY")
	}
	var servers []Server
	for _, name := range names {
		namespace, name := gatewayName(name, o.GetNamespace())
		spec, err := c.gateway(ctx, namespace, name)
		if err != nil {
			return nil, err
		}
		if full := namespace + "/" + name; !slices.Contains(g.Names, full) {
			g.Names = append(g.Names, full)
			g.selectors = append(g.selectors, selector{metav1.NamespaceAll, spec.GetSelector()})
		}
		servers = append(servers, serving(spec, namespace, o.GetNamespace(), Hosts(o), routingOf(o))...)
	}
	if len(servers) == 0 {
		return nil, fault.New(fault.Refused, "compare hosts of the Gateway's servers with hosts of the VirtualService",
			"no server of %s serves a host of %s", strings.Join(g.Names, ", "), o).Named("E_HOST_NOT_SERVED")
	}
	return servers, nil
}

// gatewayName reads an item of spec.gateways: gw, ./gw, ns/gw, or the old gw.ns.svc.cluster.local.
func gatewayName(text, own string) (namespace, name string) {
	if namespace, name, ok := strings.Cut(text, "/"); ok {
		if namespace == "." {
			namespace = own
		}
		return namespace, name
	}
	if name, rest, ok := strings.Cut(text, "."); ok {
		namespace, _, _ = strings.Cut(rest, ".")
		return namespace, name
	}
	return own, text
}

func (c *Client) gateway(ctx context.Context, namespace, name string) (*networking.Gateway, error) {
	all, _ := known[[]*istiov1.Gateway](c, allGateways)
	for _, g := range all {
		if g.Namespace == namespace && g.Name == name {
			return &g.Spec, nil
		}
	}
	got, err := c.istio.NetworkingV1().Gateways(namespace).Get(ctx, name, metav1.GetOptions{})
	if err == nil {
		return &got.Spec, nil
	}
	if apierrors.IsNotFound(err) { // of this name, or of this API version
		old, err2 := c.istio.NetworkingV1beta1().Gateways(namespace).Get(ctx, name, metav1.GetOptions{})
		if err2 == nil {
			return &old.Spec, nil
		}
		return nil, fault.New(fault.Refused, "kubectl get gateways.networking.istio.io -A lists them",
			"gateway %s/%s, which spec.gateways names, not found", namespace, name).Named("E_NO_LISTENER")
	}
	return nil, c.explain(ask{"get", "gateways.networking.istio.io", namespace, name}, err)
}

func (c *Client) listGateways(ctx context.Context) ([]*istiov1.Gateway, error) {
	list, err := c.istio.NetworkingV1().Gateways(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	return list.Items, nil
}

// serving are the servers of a Gateway that admit a host of a VirtualService and lead to what it routes.
func serving(g *networking.Gateway, gatewayNamespace, ownNamespace string, hosts []string, r routing) []Server {
	var servers []Server
	for _, s := range g.GetServers() {
		protocol := strings.ToUpper(s.GetPort().GetProtocol())
		passthrough := s.GetTls() != nil && strings.Contains(s.GetTls().GetMode().String(), "PASSTHROUGH")
		if !r.through(protocol, passthrough) {
			continue
		}
		if s.GetTls().GetHttpsRedirect() {
			continue // it answers 301 to everyone; the HTTPS server has the routes
		}
		for _, admitted := range s.GetHosts() {
			if scope, host, ok := strings.Cut(admitted, "/"); ok {
				if scope != "*" && scope != ownNamespace && !(scope == "." && gatewayNamespace == ownNamespace) {
					continue
				}
				admitted = host
			}
			if slices.ContainsFunc(hosts, func(h string) bool { return overlap(admitted, h) }) {
				servers = append(servers, Server{Port: s.GetPort().GetNumber(), TLS: protocol == "HTTPS" || protocol == "TLS", Hosts: s.GetHosts(), Raw: !r.http})
				break
			}
		}
	}
	return servers
}

// overlap is true when two host patterns (exact, *.suffix or *) share a name.
func overlap(a, b string) bool {
	a, b = strings.ToLower(a), strings.ToLower(b)
	suffixA, wildA := strings.CutPrefix(a, "*")
	suffixB, wildB := strings.CutPrefix(b, "*")
	switch {
	case wildA && wildB:
		return strings.HasSuffix(suffixA, suffixB) || strings.HasSuffix(suffixB, suffixA)
	case wildA:
		return strings.HasSuffix(b, suffixA)
	case wildB:
		return strings.HasSuffix(a, suffixB)
	}
	return a == b
}

// FindPods lists the gateway pods anew: pods come and go while a change travels.
func (c *Client) FindPods(ctx context.Context, g *Gateways) error {
	var pods []Pod
	for _, s := range g.selectors {
		list, err := c.podsOf(ctx, s)
		if err != nil {
			return c.explain(ask{"list", "pods", s.namespace, ""}, err)
		}
		for i := range list {
			p := &list[i]
			if p.DeletionTimestamp != nil || p.Status.Phase == core.PodSucceeded || p.Status.Phase == core.PodFailed {
				continue
			}
			pod := Pod{p.Namespace, p.Name, p.Status.HostIP, ready(p), p.Labels, proxyContainer(p), p.Annotations[route.RevisionLabel]}
			if !slices.ContainsFunc(pods, func(q Pod) bool { return q.String() == pod.String() }) {
				pods = append(pods, pod)
			}
		}
	}
	slices.SortFunc(pods, func(a, b Pod) int { return strings.Compare(a.String(), b.String()) })
	g.Pods = pods
	if len(g.Ready()) == 0 {
		return fault.New(fault.Refused, "kubectl get pods -A -l "+g.selectors[0].String()+" shows them",
			"no gateway pod of %s is ready", strings.Join(g.Names, ", ")).Named("E_NO_LISTENER")
	}
	return nil
}

// podsOf lists the pods of a selector.
func (c *Client) podsOf(ctx context.Context, s selector) ([]core.Pod, error) {
	return early(c, "pods "+s.namespace+" "+s.String(), func() ([]core.Pod, error) { return c.listPods(ctx, s) })
}

func (c *Client) listPods(ctx context.Context, s selector) ([]core.Pod, error) {
	list, err := c.kube.CoreV1().Pods(s.namespace).List(ctx, metav1.ListOptions{LabelSelector: s.String()})
	if err != nil {
		return nil, err
	}
	return list.Items, nil
}

// proxyContainer is the container that Istio calls so, or else the first.
func proxyContainer(p *core.Pod) string {
	name := ""
	for _, c := range p.Spec.Containers {
		if name == "" || c.Name == "istio-proxy" {
			name = c.Name
		}
	}
	return name
}

func ready(p *core.Pod) bool {
	for _, condition := range p.Status.Conditions {
		if condition.Type == core.PodReady {
			return condition.Status == core.ConditionTrue
		}
	}
	return false
}

// Hosts are the hosts that a route object serves.
func Hosts(o Object) []string {
	field := "hostnames"
	if o.Kind.Name == VirtualService.Name {
		field = "hosts"
	}
	hosts, _, _ := unstructured.NestedStringSlice(o.Object, "spec", field)
	return hosts
}
