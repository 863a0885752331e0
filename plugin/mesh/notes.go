package mesh

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"regexp"
	"strings"
	"sync"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/verify/fault"
)

// Notes is the ConfigMap, in the namespace of an object, that remembers changes where the object's own annotation would not last.
const Notes = "mesh-split-history"

// noteAttempts is how often a note is written when others write theirs at the same moment: the ConfigMap is one for all objects of
// a namespace, and a writer holds it for a single request.
const noteAttempts = 20

// noteKey is the object's key in the ConfigMap. Names may be as long as a key, which is then no place for the kind.
func noteKey(kind Kind, name string) string {
	key := strings.ToLower(kind.Name) + "." + name
	if len(key) > validation.DNS1123SubdomainMaxLength {
		sum := sha256.Sum256([]byte(key))
		return hex.EncodeToString(sum[:])
	}
	return key
}

// Remembered is what the ConfigMap remembers of the object; nothing where there is none. The error says that it could not be read.
func (c *Client) Remembered(ctx context.Context, o Object) (route.History, error) {
	notes, err := c.kube.CoreV1().ConfigMaps(o.GetNamespace()).Get(ctx, Notes, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return route.History{}, nil
	}
	if err != nil {
		return route.History{}, c.explain(ask{"get", "configmaps", o.GetNamespace(), Notes}, err)
	}
	return parseNotes(notes, o), nil
}

// Notebook reads what the ConfigMaps remember, of the Client's namespace or of all, and gives what they remember of an object. What
// may not be read holds nothing.
func (c *Client) Notebook(ctx context.Context, all bool) func(Object) route.History {
	books := map[string]*core.ConfigMap{}
	if all {
		list, err := c.kube.CoreV1().ConfigMaps(metav1.NamespaceAll).List(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + Notes})
		if err == nil {
			for i := range list.Items {
				books[list.Items[i].Namespace] = &list.Items[i]
			}
		}
	} else if notes, err := c.kube.CoreV1().ConfigMaps(c.Namespace).Get(ctx, Notes, metav1.GetOptions{}); err == nil {
		books[c.Namespace] = notes
	}
	return func(o Object) route.History {
		if notes := books[o.GetNamespace()]; notes != nil {
			return parseNotes(notes, o)
		}
		return route.History{}
	}
}

func parseNotes(notes *core.ConfigMap, o Object) route.History {
	h := route.ParseHistory(notes.Data[noteKey(o.Kind, o.GetName())])
	for i, warning := range h.Warnings {
		h.Warnings[i] = strings.ReplaceAll(warning, "annotation "+route.HistoryKey, "ConfigMap "+Notes+", key "+noteKey(o.Kind, o.GetName())+",")
	}
	return h
}

// note changes what the ConfigMap remembers of the object, guarded by its resource version: edit is called again with what is there
// then, until no other write came between. With tidy what is remembered of objects that are gone is forgotten on the way.
func (c *Client) note(ctx context.Context, o Object, tidy bool, edit func(*route.History) error) error {
	maps := c.kube.CoreV1().ConfigMaps(o.GetNamespace())
	var err error
	for range noteAttempts {
		var notes *core.ConfigMap
		notes, err = maps.Get(ctx, Notes, metav1.GetOptions{})
		fresh := apierrors.IsNotFound(err)
		if fresh {
			notes, err = &core.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: o.GetNamespace(), Name: Notes}}, nil
		}
		if err != nil {
			return c.cannotNote("get", o, err)
		}
		h := parseNotes(notes, o)
		before := h.String()
		if err := edit(&h); err != nil {
			return err
		}
		if h.String() == before {
			return nil
		}
		if notes.Data == nil {
			notes.Data = map[string]string{}
		}
		if tidy {
			c.forget(ctx, notes, noteKey(o.Kind, o.GetName()))
			tidy = false // when another write came between, the next change tidies up
		}
		notes.Data[noteKey(o.Kind, o.GetName())] = h.String()
		verb := "update"
		if fresh {
			verb = "create"
			_, err = maps.Create(ctx, notes, metav1.CreateOptions{FieldManager: route.FieldManager})
		} else {
			_, err = maps.Update(ctx, notes, metav1.UpdateOptions{FieldManager: route.FieldManager})
		}
		if err == nil {
			return nil
		}
		if !apierrors.IsConflict(err) && !apierrors.IsAlreadyExists(err) {
			return c.cannotNote(verb, o, err)
		}
	}
	return c.cannotNote("update", o, err)
}

// forget removes what is remembered of objects that are gone: nobody else does, and a ConfigMap has room for some hundred. An owner
// reference would not do: the ConfigMap goes with the last of its owners alone, key by key nothing does, and where the API server guards
// owner references (OwnerReferencesPermissionEnforcement) adding one to a ConfigMap takes the right to delete it. Who may not list all
// kinds forgets nothing.
func (c *Client) forget(ctx context.Context, notes *core.ConfigMap, own string) {
	gone := map[string]bool{}
	for key := range notes.Data {
		if key != own && ourKey.MatchString(key) {
			gone[key] = true
		}
	}
	if len(gone) == 0 {
		return
	}
	kinds := Kinds()
	lists, errs := make([][]route.Object, len(kinds)), make([]error, len(kinds))
	var group sync.WaitGroup
	for i, kind := range kinds {
		group.Go(func() { lists[i], errs[i] = c.list(ctx, kind, notes.Namespace) })
	}
	group.Wait()
	for i, kind := range kinds {
		if errs[i] != nil && !apierrors.IsNotFound(errs[i]) { // a kind that is not served has no objects
			return
		}
		for _, object := range lists[i] {
			metadata, _ := object["metadata"].(map[string]any)
			name, _ := metadata["name"].(string)
			delete(gone, noteKey(kind, name))
		}
	}
	maps.DeleteFunc(notes.Data, func(key, _ string) bool { return gone[key] })
}

// ourKey is what noteKey makes: others may keep what they like beside it.
var ourKey = regexp.MustCompile(`^((virtualservice|httproute|grpcroute)\..+|[0-9a-f]{64})$`)

// cannotNote says what could not be written, and where the history can be instead.
func (c *Client) cannotNote(verb string, o Object, err error) error {
	const instead = "--history=annotation remembers the change on the object itself, --history=none nowhere"
	explained := c.explain(ask{verb, "configmaps", o.GetNamespace(), Notes}, err)
	if apierrors.IsForbidden(err) {
		return fault.New(fault.Failed, "ask for the role mesh-split-history of docs/rbac.yaml; "+instead, "%w", explained).Named("E_NO_HISTORY")
	}
	return fault.New(fault.Failed, instead, "%w", explained).Named("E_NO_HISTORY")
}

// Settle writes the verdicts of changes into the ConfigMap, by id.
func (c *Client) Settle(ctx context.Context, o Object, verdicts map[int64]string) error {
	return c.note(ctx, o, false, func(h *route.History) error { h.Settle(verdicts); return nil })
}

// announce notes the items of a plan before its weights are written. What has come into the ConfigMap since the plan was made moves
// its numbers: the plan that is returned has them right.
func (c *Client) announce(ctx context.Context, o Object, plan *route.Plan) (*route.Plan, error) {
	err := c.note(ctx, o, true, func(h *route.History) (err error) {
		if first := max(route.HistoryOf(o.Object).Newest(), h.Newest()) + 1; first != plan.Items[len(plan.Items)-1].ID {
			if plan, err = plan.Again(o.Object, *h); err != nil || plan.Nothing() {
				return err
			}
		}
		h.Add(plan.Announced()...)
		return nil
	})
	return plan, err
}

// withdraw takes an announcement back.
func (c *Client) withdraw(ctx context.Context, o Object, plan *route.Plan) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookTime)
	defer cancel()
	return c.note(ctx, o, false, func(h *route.History) error {
		h.Withdraw(plan.Items, route.HistoryOf(o.Object).Newest())
		return nil
	})
}
