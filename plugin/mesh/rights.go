package mesh

import (
	"context"
	"strings"
	"sync"

	authorization "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Right is one thing that a role can grant, in the words of an RBAC rule.
type Right struct {
	Verb      string
	Group     string // "" is the core group
	Resource  string // plural; "pods/portforward" for a subresource
	Namespace string // "" is all namespaces
	Name      string // of the one object; "" is every one
	Allowed   bool
	Unknown   string // why the API server did not say, or ""
}

// String is such as "list endpointslices.discovery.k8s.io in all namespaces".
func (r Right) String() string {
	resource := r.Resource
	if r.Group != "" {
		resource += "." + r.Group
	}
	if r.Name != "" {
		resource += " " + r.Name
	}
	return r.Verb + " " + resource + " " + ask{namespace: r.Namespace}.where()
}

// Review asks the API server which of the rights we have, by SelfSubjectAccessReview: nothing is tried out.
func (c *Client) Review(ctx context.Context, rights []Right) []Right {
	out := make([]Right, len(rights))
	var group sync.WaitGroup
	for i, r := range rights {
		group.Go(func() {
			resource, sub, _ := strings.Cut(r.Resource, "/")
			review, err := c.kube.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, &authorization.SelfSubjectAccessReview{
				Spec: authorization.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorization.ResourceAttributes{
					Verb: r.Verb, Group: r.Group, Resource: resource, Subresource: sub, Namespace: r.Namespace, Name: r.Name}}}, metav1.CreateOptions{})
			if err != nil {
				r.Unknown = err.Error()
			} else {
				r.Allowed = review.Status.Allowed
			}
			out[i] = r
		})
	}
	group.Wait()
	return out
}

// Versions are those of the API server and of the route kinds that it serves; an error means that it cannot be reached.
func (c *Client) Versions(ctx context.Context) (server string, kinds map[string]string, err error) {
	info, err := c.kube.Discovery().ServerVersion()
	if err != nil {
		return "", nil, c.explain(ask{verb: "get", resource: "version"}, err)
	}
	kinds = map[string]string{}
	for _, k := range Kinds() {
		if gvr, err := c.served(ctx, k); err == nil {
			kinds[k.Name] = gvr.Version
		}
	}
	return info.GitVersion, kinds, nil
}
