package mesh

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/mesh-split/mesh-split/verify/fault"
)

// Kind is a kind of route object that can be edited.
type Kind struct {
	Name     string // as in the object: VirtualService
	Group    string
	Resource string   // plural, as in RBAC rules
	Versions []string // the order of preference; all of a kind share one schema
	aliases  []string
}

// The kinds. VirtualService has been one schema since v1alpha3, and v1 is what the API server stores.
var (
	VirtualService = Kind{"VirtualService", "networking.istio.io", "virtualservices", []string{"v1", "v1beta1", "v1alpha3"},
		[]string{"virtualservice", "virtualservices", "vs"}}
	HTTPRoute = Kind{"HTTPRoute", "gateway.networking.k8s.io", "httproutes", []string{"v1", "v1beta1"},
		[]string{"httproute", "httproutes"}}
	GRPCRoute = Kind{"GRPCRoute", "gateway.networking.k8s.io", "grpcroutes", []string{"v1"},
		[]string{"grpcroute", "grpcroutes"}}
)

// Kinds are all kinds, the one that a bare NAME means first.
func Kinds() []Kind { return []Kind{VirtualService, HTTPRoute, GRPCRoute} }

func (k Kind) qualified() string { return k.Resource + "." + k.Group }

// ParseName reads NAME, or TYPE/NAME as kubectl writes it: checkout, vs/checkout, httproute/checkout, grpcroute/checkout.
func ParseName(text string) (Kind, string, error) {
	kind, name, typed := strings.Cut(text, "/")
	if !typed {
		if text == "" {
			return Kind{}, "", fault.Usagef("kubectl mesh-split get lists them", "the name of an object is missing")
		}
		return VirtualService, text, nil
	}
	kind, _, _ = strings.Cut(strings.ToLower(kind), ".")
	for _, k := range Kinds() {
		if slices.Contains(k.aliases, kind) && name != "" {
			return k, name, nil
		}
	}
	return Kind{}, "", fault.Usagef("write NAME, virtualservice/NAME, httproute/NAME or grpcroute/NAME", "%q names no route object", text)
}

// Object is a route object as the API server holds it, every field of it.
type Object struct {
	Kind Kind
	*unstructured.Unstructured
}

// String is kind and name for people: "VirtualService shop/checkout".
func (o Object) String() string { return o.Kind.Name + " " + o.GetNamespace() + "/" + o.GetName() }

// Argument is the object as ParseName reads it, in the shortest form: checkout, httproute/checkout.
func (o Object) Argument() string {
	if o.Kind.Name == VirtualService.Name {
		return o.GetName()
	}
	return strings.ToLower(o.Kind.Name) + "/" + o.GetName()
}

// Get reads one object of the Client's namespace.
func (c *Client) Get(ctx context.Context, kind Kind, name string) (Object, error) {
	a := ask{"get", kind.qualified(), c.Namespace, name}
	gvr, err := c.served(ctx, kind)
	if err != nil {
		return Object{}, err
	}
	got, err := early(c, getKey(gvr, name), func() (*unstructured.Unstructured, error) { return c.read(ctx, gvr, name) })
	if apierrors.IsNotFound(err) {
		return Object{}, c.missing(ctx, kind, name)
	}
	if err != nil {
		return Object{}, c.explain(a, err)
	}
	return Object{kind, got}, nil
}

// read reads one object of the Client's namespace in one version.
func (c *Client) read(ctx context.Context, gvr schema.GroupVersionResource, name string) (*unstructured.Unstructured, error) {
	return c.dynamic.Resource(gvr).Namespace(c.Namespace).Get(ctx, name, metav1.GetOptions{})
}

func getKey(gvr schema.GroupVersionResource, name string) string {
	return "get " + gvr.String() + " " + name
}

// Names are the names of the objects of a kind in the Client's namespace: for shell completion and for hints.
func (c *Client) Names(ctx context.Context, kind Kind) []string {
	var names []string
	_, err := c.Pages(ctx, Query{Kind: kind}, func(page []Object) error {
		for _, o := range page {
			names = append(names, o.GetName())
		}
		return nil
	})
	if err != nil {
		return nil // a hint less; what failed before is what is reported
	}
	slices.Sort(names)
	return names
}

// missing says that an object is not there, and what is: names in the namespace, or that the namespace itself is unknown.
func (c *Client) missing(ctx context.Context, kind Kind, name string) error {
	one := strings.ToLower(kind.Name)
	have := c.Names(ctx, kind)
	hint := fmt.Sprintf("names here: %s", listed(have))
	switch near := Near(name, have); {
	case len(have) == 0:
		if err := c.namespaceMissing(ctx); err != nil {
			return err
		}
		hint = fmt.Sprintf("namespace %s holds no %s; kubectl mesh-split get -A shows all", c.Namespace, kind.Resource)
	case near != "":
		hint = fmt.Sprintf("did you mean %s? %s", near, hint)
	}
	return fault.New(fault.Failed, hint, "%s %s/%s not found", one, c.Namespace, name)
}

// namespaceMissing is an error when the Client's namespace certainly does not exist.
func (c *Client) namespaceMissing(ctx context.Context) error {
	_, err := c.kube.CoreV1().Namespaces().Get(ctx, c.Namespace, metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		return nil // there, or not ours to see
	}
	var have []string
	if list, err := c.kube.CoreV1().Namespaces().List(ctx, metav1.ListOptions{}); err == nil {
		for i := range list.Items {
			have = append(have, list.Items[i].Name)
		}
	}
	hint := "kubectl get namespaces lists them"
	if near := Near(c.Namespace, have); near != "" {
		hint = "did you mean -n " + near + "? " + hint
	}
	return fault.New(fault.Failed, hint, "namespace %s not found", c.Namespace)
}

// served chooses the version of a kind by one request for its group: a discovery sweep asks for every group there is.
func (c *Client) served(ctx context.Context, kind Kind) (schema.GroupVersionResource, error) {
	gvr := schema.GroupVersionResource{Group: kind.Group, Version: kind.Versions[0], Resource: kind.Resource}
	versions, err := c.groupVersions(ctx, kind.Group)
	switch {
	case apierrors.IsNotFound(err):
		return gvr, fault.New(fault.Failed, "is this the right --context, and is Istio installed there?",
			"the cluster of context %s does not serve %s", c.Context, kind.qualified()).Named(NotServed)
	case apierrors.IsForbidden(err):
		return gvr, nil // discovery is closed to us; the newest version is the best guess
	case err != nil:
		return gvr, c.explain(ask{verb: "get", resource: "API group", name: kind.Group}, err)
	}
	for _, v := range kind.Versions {
		if slices.Contains(versions, v) {
			gvr.Version = v
			return gvr, nil
		}
	}
	return gvr, fault.New(fault.Failed, "this plugin reads "+strings.Join(kind.Versions, ", "),
		"the cluster of context %s serves %s only as %s", c.Context, kind.qualified(), strings.Join(versions, ", ")).Named(NotServed)
}

// NotServed is the name of the error that a cluster does not know a kind, or none of the versions that are read here.
const NotServed = "E_NOT_SERVED"

func (c *Client) groupVersions(ctx context.Context, group string) ([]string, error) {
	return early(c, "group "+group, func() ([]string, error) { return c.readGroup(ctx, group) })
}

func (c *Client) readGroup(ctx context.Context, group string) ([]string, error) {
	raw, err := c.kube.Discovery().RESTClient().Get().AbsPath("/apis/" + group).Do(ctx).Raw()
	if err != nil {
		return nil, err
	}
	var answer metav1.APIGroup
	if err := json.Unmarshal(raw, &answer); err != nil {
		return nil, fmt.Errorf("reading API group %s: %w", group, err)
	}
	versions := make([]string, len(answer.Versions))
	for i, v := range answer.Versions {
		versions[i] = v.Version
	}
	return versions, nil
}
