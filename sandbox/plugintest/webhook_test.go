//go:build unix

package plugintest

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	admission "k8s.io/api/admission/v1"
	registration "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mesh-split/mesh-split/sandbox"
)

// webhook NAME FIRST-WEIGHT MESSAGE: a validating webhook that denies every edit of VirtualService NAME after which its
// first weight is FIRST-WEIGHT. The API server calls it as it would call anybody's.
func webhookCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: webhook NAME FIRST-WEIGHT MESSAGE")
	}
	weight, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	remove, err := register(of(ts), args[0], judge(weight, args[2]))
	ts.Check(err)
	ts.Defer(remove)
	// The API server takes a moment to hear of a new webhook; a dry run tells when it has.
	for range 50 {
		probe := ts.Exec("kubectl", "patch", "vs", args[0], "--type=json", "--dry-run=server",
			"-p", `[{"op":"replace","path":"/spec/http/0/route/0/weight","value":`+args[1]+`}]`)
		if probe != nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	ts.Fatalf("the API server never called the webhook")
}

// register has a sandbox's API server ask a judge before each edit of the VirtualServices whose label script is name.
func register(s *sandbox.Sandbox, name string, judge http.Handler) (remove func(), err error) {
	client, err := clientOf(s)
	if err != nil {
		return nil, err
	}
	server := httptest.NewTLSServer(judge)
	fail, none, url := registration.Fail, registration.SideEffectClassNone, server.URL+"/judge"
	hooks := client.AdmissionregistrationV1().ValidatingWebhookConfigurations()
	_, err = hooks.Create(context.Background(), &registration.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: "plugintest-" + name},
		Webhooks: []registration.ValidatingWebhook{{
			Name:                    "x.example.com",
			ClientConfig:            registration.WebhookClientConfig{URL: &url, CABundle: authority(server)},
			ObjectSelector:          &metav1.LabelSelector{MatchLabels: map[string]string{"script": name}},
			FailurePolicy:           &fail,
			SideEffects:             &none,
			AdmissionReviewVersions: []string{"v1"},
			Rules: []registration.RuleWithOperations{{
				Operations: []registration.OperationType{registration.Update},
				Rule:       registration.Rule{APIGroups: []string{"networking.istio.io"}, APIVersions: []string{"*"}, Resources: []string{"virtualservices"}},
			}},
		}},
	}, metav1.CreateOptions{})
	return func() {
		_ = hooks.Delete(context.Background(), "plugintest-"+name, metav1.DeleteOptions{})
		time.Sleep(time.Second) // the API server takes a moment to hear of that
		server.Close()
	}, err
}

// judge denies objects whose first weight is the given one.
func judge(weight int64, message string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var review admission.AdmissionReview
		if err := json.NewDecoder(r.Body).Decode(&review); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		var object struct {
			Spec struct {
				HTTP []struct{ Route []struct{ Weight int64 } }
			}
		}
		answer := &admission.AdmissionResponse{UID: review.Request.UID, Allowed: true}
		if err := json.Unmarshal(review.Request.Object.Raw, &object); err != nil || object.Spec.HTTP[0].Route[0].Weight == weight {
			answer.Allowed, answer.Result = false, &metav1.Status{Message: message}
		}
		review.Response, review.Request = answer, nil
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(review)
	})
}
