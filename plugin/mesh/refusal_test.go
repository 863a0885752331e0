package mesh

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/mesh-split/mesh-split/verify/fault"
)

func TestExplain(t *testing.T) {
	resource := schema.GroupResource{Group: "networking.istio.io", Resource: "virtualservices"}
	webhook := &apierrors.StatusError{ErrStatus: metav1.Status{Code: 403, Reason: metav1.StatusReasonForbidden,
		Message: `admission webhook "x.example.com" denied the request: no canaries on Friday`}}
	patch := ask{"patch", "virtualservices.networking.istio.io", "shop", "web"}
	for _, tt := range []struct {
		name string
		err  error
		says []string
		hint string
	}{
		{"a missing right names verb, resource and namespace", apierrors.NewForbidden(resource, "web", errors.New("User \"bob\" cannot patch")),
			[]string{"no right to patch virtualservices.networking.istio.io in namespace shop", "bob"}, "kubectl auth can-i patch virtualservices.networking.istio.io -n shop"},
		{"a webhook's words are passed on as they are, though it says 403", webhook,
			[]string{`admission webhook "x.example.com" denied the request: no canaries on Friday`}, "nothing was changed"},
		{"expired credentials", apierrors.NewUnauthorized("Unauthorized"), []string{"does not know you"}, "prod-eu"},
		{"an API server that is not there", &net.OpError{Op: "dial", Err: errors.New("connection refused")},
			[]string{"API server of context prod-eu is unreachable", "connection refused"}, "--context"},
		{"an API server that is silent", context.DeadlineExceeded, []string{"did not answer in time: virtualservice shop/web"}, "readyz"},
	} {
		got := (&Client{Context: "prod-eu"}).explain(patch, tt.err)
		var f *fault.Error
		if !errors.As(got, &f) || !strings.Contains(f.Hint, tt.hint) || f.Exit != fault.Failed {
			t.Errorf("%s: %v (hint %v), want a hint with %q", tt.name, got, f, tt.hint)
			continue
		}
		for _, words := range tt.says {
			if !strings.Contains(got.Error(), words) {
				t.Errorf("%s: %q lacks %q", tt.name, got, words)
			}
		}
	}
	if (&Client{}).explain(patch, nil) != nil {
		t.Error("no error was explained as one")
	}
}

func TestParseName(t *testing.T) {
	for _, tt := range []struct{ text, kind, name string }{
		{"checkout", "VirtualService", "checkout"},
		{"vs/checkout", "VirtualService", "checkout"},
		{"virtualservice.networking.istio.io/checkout", "VirtualService", "checkout"}, // as -o name prints it
		{"httproute/checkout", "HTTPRoute", "checkout"},
		{"pod/checkout", "", ""},
		{"vs/", "", ""},
		{"", "", ""},
	} {
		kind, name, err := ParseName(tt.text)
		if kind.Name != tt.kind || name != tt.name || (err != nil) != (tt.kind == "") {
			t.Errorf("ParseName(%q) = %s %q, %v, want %s %q", tt.text, kind.Name, name, err, tt.kind, tt.name)
		}
	}
}
