package mesh

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/mesh-split/mesh-split/verify/fault"
)

// ask is one request to the API server, in the words of an RBAC rule: what is said when it fails.
type ask struct {
	verb      string // get, list, patch, create
	resource  string // with its group: virtualservices.networking.istio.io
	namespace string // "" for all
	name      string // "" for a list
}

// String names the object, or the list: "virtualservice shop/checkout".
func (a ask) String() string {
	kind, _, _ := strings.Cut(a.resource, ".")
	kind, sub, isSub := strings.Cut(kind, "/")
	if isSub {
		sub = " (" + sub + ")"
	}
	switch {
	case a.name == "" && a.namespace == "":
		return kind + sub
	case a.name == "":
		return kind + " in namespace " + a.namespace + sub
	case a.namespace == "":
		return singular(kind) + " " + a.name + sub
	}
	return singular(kind) + " " + a.namespace + "/" + a.name + sub
}

func singular(plural string) string { return strings.TrimSuffix(plural, "s") }

// where is the scope of the right that is asked for.
func (a ask) where() string {
	if a.namespace == "" {
		return "in all namespaces"
	}
	return "in namespace " + a.namespace
}

// explain turns an error of client-go into one that says what was wanted and what helps. Text of the API server is kept
// word for word: an admission webhook's reason is the answer people look for.
func (c *Client) explain(a ask, err error) error {
	var unreachable *net.OpError
	var wrapped *url.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, new(*fault.Error)), errors.Is(err, context.Canceled):
		return err
	case apierrors.IsForbidden(err) && !denied(err):
		return c.noRight(a, err)
	case apierrors.IsUnauthorized(err):
		return fault.New(fault.Failed, "the credentials of context "+c.Context+" are missing or have expired; log in again",
			"the API server does not know you: %w", err)
	case apierrors.IsInvalid(err) && !denied(err):
		return fault.New(fault.Failed, "nothing was changed", "%s %s: %w", a.verb, a, err)
	case denied(err):
		return fault.New(fault.Failed, "nothing was changed", "%s", err.Error())
	case errors.Is(err, context.DeadlineExceeded), apierrors.IsTimeout(err), apierrors.IsServerTimeout(err):
		return fault.New(fault.Failed, "kubectl get --raw /readyz tells whether it is up", "the API server of context %s did not answer in time: %s: %w", c.Context, a, err)
	case errors.As(err, &unreachable), errors.As(err, &wrapped):
		return fault.New(fault.Failed, "is the cluster up, and --context right? kubectl get --raw /readyz asks it",
			"the API server of context %s is unreachable: %w", c.Context, err)
	}
	return fault.New(fault.Failed, "", "%s %s: %w", a.verb, a, err)
}

// noRight names the verb and the resource that a role has to grant.
func (c *Client) noRight(a ask, err error) error {
	namespace := "-A"
	if a.namespace != "" {
		namespace = "-n " + a.namespace
	}
	return fault.New(fault.Failed,
		fmt.Sprintf("ask for a role with verb %s on %s %s; kubectl auth can-i %s %s %s tells when you have it",
			a.verb, a.resource, a.where(), a.verb, a.resource, namespace),
		"no right to %s %s %s: %w", a.verb, a.resource, a.where(), err)
}

// denied is true when an admission webhook or policy said no. A webhook may answer with any status code, 403 too, so its
// words are the only sign: https://github.com/kubernetes/apiserver/blob/v0.36.2/pkg/admission/plugin/webhook/errors/statuserror.go
func denied(err error) bool {
	text := err.Error()
	return strings.Contains(text, "admission webhook") && strings.Contains(text, "denied the request") ||
		strings.Contains(text, "ValidatingAdmissionPolicy")
}
