package mesh

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"

	authentication "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/verify/fault"
)

// attempts is how often a change is sent when the object moves under it. Five collisions in a row are no accident but
// somebody who writes all the time.
const attempts = 5

// lookTime bounds the second look at an object after a refused or unanswered patch.
const lookTime = 5 * time.Second

// PatchOptions say how a patch is sent.
type PatchOptions struct {
	Manager string // field manager; empty: route.FieldManager
	DryRun  bool   // the API server runs defaulting, validation and webhooks, and keeps nothing
	Noted   bool   // the ConfigMap remembers the change: it is announced there before the patch, and settled after it
}

// Patched is a change that the API server has acknowledged.
type Patched struct {
	Plan      *route.Plan // the one that went through: a later reading of the object may have needed another
	Before    Object
	After     Object
	At        time.Time // when the acknowledgement was in; the zero time for a plan with nothing to do
	Unsettled error     // why the ConfigMap does not say that the change was made, or nil
}

// Patch sends a plan. A guard that no longer holds is not an error by itself: the object is read again, and as long as
// nobody touched its weights the same wish is planned anew; E_CHANGED says who else changed them. A patch whose answer was
// lost is looked up before it is called lost. Nothing is retried that the API server or a webhook refused on its merits.
func (c *Client) Patch(ctx context.Context, o Object, plan *route.Plan, opt PatchOptions) (Patched, error) {
	opt.Noted = opt.Noted && !opt.DryRun
	for range attempts {
		if plan.Nothing() {
			return Patched{Plan: plan, Before: o, After: o}, nil
		}
		if opt.Noted {
			var err error
			if plan, err = c.announce(ctx, o, plan); err != nil {
				return Patched{}, err
			}
			if plan.Nothing() {
				continue
			}
		}
		after, err := c.send(ctx, o, plan, opt)
		if err == nil {
			return c.settled(ctx, Patched{Plan: plan, Before: o, After: after, At: time.Now()}, opt), nil
		}
		second, err := c.lookAgain(ctx, o, plan, err)
		if err == nil && second.again == nil {
			return c.settled(ctx, Patched{Plan: plan, Before: o, After: second.now, At: time.Now()}, opt), nil
		}
		if opt.Noted && !second.unknown {
			// What cannot be withdrawn is seen to be unwritten by whoever reads it.
			_ = c.withdraw(ctx, second.now, plan)
		}
		if err != nil {
			return Patched{}, err
		}
		if o, plan = second.now, second.again; ctx.Err() != nil {
			return Patched{}, ctx.Err()
		}
	}
	return Patched{}, fault.New(fault.Failed, "who writes it all the time? kubectl get "+strings.ToLower(o.Kind.Name)+" "+o.GetName()+" -n "+o.GetNamespace()+" -o yaml --show-managed-fields",
		"%s changed %d times while it was being changed", o, attempts).Named("E_CONFLICT")
}

// found is what a second look at an object shows, after a patch that was not acknowledged.
type found struct {
	now     Object
	again   *route.Plan // the wish for the object as it is now; nil when the patch had arrived
	unknown bool        // whether the patch arrived is not known
}

// lookAgain says what became of a patch that was answered by err. Its own error is why the wish cannot be had.
func (c *Client) lookAgain(ctx context.Context, o Object, plan *route.Plan, err error) (found, error) {
	refusal := c.explain(ask{"patch", o.Kind.qualified(), o.GetNamespace(), o.GetName()}, err)
	if !worthALook(err) {
		return found{now: o}, refusal
	}
	// Even when the user has given up: whether the write arrived decides what there is to undo.
	look, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookTime)
	defer cancel()
	now, lookErr := c.Get(look, o.Kind, o.GetName())
	if lookErr != nil {
		return found{now: o, unknown: true}, fault.New(fault.Failed, "kubectl mesh-split get "+o.GetName()+" -n "+o.GetNamespace()+" tells, once it can be read",
			"whether the change of %s arrived is not known: %w", o, refusal)
	}
	// The API server says 422 both for a failed test and for an object it will not have, in words that do not tell
	// which; so the tests are run here.
	conflict := plan.Recheck(now.Object)
	if conflict.State == route.ConflictDone && plan.Anonymous() && !unanswered(err) {
		conflict.State = route.ConflictReplan // equal weights, but another's: ours were refused
	}
	switch conflict.State {
	case route.ConflictDone:
		return found{now: now}, nil
	case route.ConflictChanged:
		return found{now: now}, conflict.Err
	case route.ConflictReplan:
		elsewhere, _ := c.Remembered(look, now) // unreadable is as good as empty: it was before
		again, err := plan.Again(now.Object, elsewhere)
		return found{now: now, again: again}, err
	}
	return found{now: now}, refusal
}

// settled writes into the ConfigMap, where that remembers the change, that it was made.
func (c *Client) settled(ctx context.Context, p Patched, opt PatchOptions) Patched {
	verdicts := map[int64]string{}
	for _, item := range p.Plan.Items {
		verdicts[item.ID] = item.Verdict
	}
	if opt.Noted && p.Plan.Items[0].Verdict != "pending" {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookTime)
		defer cancel()
		p.Unsettled = c.Settle(ctx, p.After, verdicts)
	}
	return p
}

func (c *Client) send(ctx context.Context, o Object, plan *route.Plan, opt PatchOptions) (Object, error) {
	patch, err := plan.Patch()
	if err != nil {
		return Object{}, err
	}
	options := metav1.PatchOptions{FieldManager: route.FieldManager}
	if opt.Manager != "" {
		options.FieldManager = opt.Manager
	}
	if opt.DryRun {
		options.DryRun = []string{metav1.DryRunAll}
	}
	gvr := o.GroupVersionKind().GroupVersion().WithResource(o.Kind.Resource)
	var got *unstructured.Unstructured
	got, err = c.dynamic.Resource(gvr).Namespace(o.GetNamespace()).Patch(ctx, o.GetName(), types.JSONPatchType, patch, options)
	if err != nil {
		return Object{}, err
	}
	return Object{o.Kind, got}, nil
}

// worthALook is true for answers after which the object may be another than the plan was made for.
func worthALook(err error) bool {
	return !denied(err) && (apierrors.IsInvalid(err) || apierrors.IsConflict(err) || unanswered(err))
}

// unanswered is true when the write may have arrived although its acknowledgement did not. A connection that was never
// made carried no write.
func unanswered(err error) bool {
	var status apierrors.APIStatus
	var network *net.OpError
	if errors.As(err, &network) && network.Op == "dial" {
		return false
	}
	return apierrors.IsTimeout(err) || apierrors.IsServerTimeout(err) || apierrors.IsInternalError(err) || !errors.As(err, &status)
}

// WhoAmI is the name the API server knows us by, or "" when it does not say: a note for the history, not evidence.
func (c *Client) WhoAmI(ctx context.Context) string {
	name, _ := early(c, "who", func() (string, error) { return c.whoAmI(ctx) })
	return name
}

func (c *Client) whoAmI(ctx context.Context) (string, error) {
	review, err := c.kube.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authentication.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return "", err
	}
	return review.Status.UserInfo.Username, nil
}
