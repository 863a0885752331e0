package mesh

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	authentication "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/mesh-split/mesh-split/verify/fault"
)

// FieldManager is the name our writes carry in managedFields. Flux adopts the fields of managers whose name begins with
// "kubectl", so it must not: https://fluxcd.io/flux/components/kustomize/kustomizations/
const FieldManager = "mesh-split"

// attempts is how often a change is planned anew when the object moved under it. Five collisions in a row are no
// accident but somebody who writes all the time.
const attempts = 5

// Planner makes the JSON Patch for the object as it now is; no operations mean that nothing is left to do. It is called
// again for each attempt, and says with an error (E_CHANGED) when the object has become another than the user agreed to.
type Planner func(current Object) (patch []byte, err error)

// PatchOptions say how a patch is sent.
type PatchOptions struct {
	Manager string // field manager; empty: FieldManager
	DryRun  bool   // the API server runs defaulting, validation and webhooks, and keeps nothing
}

// Patch plans and applies a change to o and gives the object before and after, and the moment the API server's answer was
// in. A guarded operation that no longer holds is not an error by itself: the object is read again and planned again.
func (c *Client) Patch(ctx context.Context, o Object, plan Planner, opt PatchOptions) (before, after Object, acknowledged time.Time, err error) {
	before = o
	for range attempts {
		patch, err := plan(before)
		if err != nil {
			return before, before, time.Time{}, err
		}
		if isEmptyPatch(patch) {
			return before, before, time.Now(), nil
		}
		after, err = c.send(ctx, before, patch, opt)
		if err == nil {
			return before, after, time.Now(), nil
		}
		a := ask{"patch", o.Kind.qualified(), o.GetNamespace(), o.GetName()}
		if !worthALook(err) || ctx.Err() != nil {
			return before, before, time.Time{}, c.explain(a, err)
		}
		current, getErr := c.Get(context.WithoutCancel(ctx), o.Kind, o.GetName())
		if getErr != nil {
			return before, before, time.Time{}, errors.Join(c.explain(a, err), getErr)
		}
		// An API server says 422 both for a failed test operation and for an object it will not have, in words that
		// do not tell which. So the tests are run here: if they hold, it was a refusal.
		if holds, err2 := testsHold(current.Object, patch); err2 != nil || holds {
			return current, current, time.Time{}, errors.Join(c.explain(a, err), err2)
		}
		before = current
	}
	return before, before, time.Time{}, fault.New(fault.Failed, "who writes it? kubectl get "+strings.ToLower(o.Kind.Name)+" "+o.GetName()+" -n "+o.GetNamespace()+" -o yaml --show-managed-fields",
		"%s changed %d times while it was being changed", o, attempts).Named("E_CONFLICT")
}

func (c *Client) send(ctx context.Context, o Object, patch []byte, opt PatchOptions) (Object, error) {
	gvr := o.GroupVersionKind().GroupVersion().WithResource(o.Kind.Resource)
	options := metav1.PatchOptions{FieldManager: FieldManager}
	if opt.Manager != "" {
		options.FieldManager = opt.Manager
	}
	if opt.DryRun {
		options.DryRun = []string{metav1.DryRunAll}
	}
	got, err := c.dynamic.Resource(gvr).Namespace(o.GetNamespace()).Patch(ctx, o.GetName(), types.JSONPatchType, patch, options)
	if err != nil {
		return o, err
	}
	return Object{o.Kind, got}, nil
}

// worthALook is true for answers after which the object may be another than the plan was made for.
func worthALook(err error) bool {
	return !denied(err) && (apierrors.IsInvalid(err) || apierrors.IsConflict(err) || apierrors.IsTimeout(err) ||
		apierrors.IsServerTimeout(err) || errors.Is(err, context.DeadlineExceeded))
}

func isEmptyPatch(patch []byte) bool {
	text := strings.TrimSpace(string(patch))
	return text == "" || text == "[]" || text == "null"
}

// testsHold runs the test operations of a JSON Patch (RFC 6902 section 4.6) against an object.
func testsHold(object map[string]any, patch []byte) (bool, error) {
	var ops []struct {
		Op    string
		Path  string
		Value any
	}
	if err := json.Unmarshal(patch, &ops); err != nil {
		return false, fmt.Errorf("reading our own patch: %w", err)
	}
	plain, err := json.Marshal(object)
	if err != nil {
		return false, fmt.Errorf("reading the object again: %w", err)
	}
	var doc any // numbers as encoding/json reads them, on both sides
	if err := json.Unmarshal(plain, &doc); err != nil {
		return false, fmt.Errorf("reading the object again: %w", err)
	}
	for _, op := range ops {
		if op.Op != "test" {
			continue
		}
		if have, ok := lookup(doc, op.Path); !ok || !reflect.DeepEqual(have, op.Value) {
			return false, nil
		}
	}
	return true, nil
}

// lookup follows a JSON Pointer (RFC 6901).
func lookup(doc any, pointer string) (any, bool) {
	if pointer == "" {
		return doc, true
	}
	unescape := strings.NewReplacer("~1", "/", "~0", "~")
	for _, token := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		switch node := doc.(type) {
		case map[string]any:
			child, ok := node[unescape.Replace(token)]
			if !ok {
				return nil, false
			}
			doc = child
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(node) {
				return nil, false
			}
			doc = node[i]
		default:
			return nil, false
		}
	}
	return doc, true
}

// LastWriter says who wrote the spec of an object last, by its managedFields: manager, how long ago, or "" when the API
// server keeps no such record.
func LastWriter(o Object, now time.Time) string {
	var newest metav1.ManagedFieldsEntry
	for _, entry := range o.GetManagedFields() {
		if entry.Time == nil || entry.FieldsV1 == nil || !strings.Contains(entry.FieldsV1.String(), `"f:spec"`) {
			continue
		}
		if newest.Time == nil || newest.Time.Before(entry.Time) {
			newest = entry
		}
	}
	if newest.Time == nil {
		return ""
	}
	return fmt.Sprintf("%s (%s, %s ago)", newest.Manager, strings.ToLower(string(newest.Operation)), now.Sub(newest.Time.Time).Round(time.Second))
}

// WhoAmI is the name the API server knows us by, or "" when it does not say: a note for the history, not evidence.
func (c *Client) WhoAmI(ctx context.Context) string {
	review, err := c.kube.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authentication.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return ""
	}
	return review.Status.UserInfo.Username
}
