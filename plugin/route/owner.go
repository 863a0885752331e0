package route

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Related are the objects of other programs that may say they own a route. What could not be read stays empty: then the
// marks on the object itself decide.
type Related struct {
	Rollouts       []Object // argoproj.io
	Canaries       []Object // flagger.app
	Applications   []Object // argoproj.io
	Kustomizations []Object // kustomize.toolkit.fluxcd.io
	HelmReleases   []Object // helm.toolkit.fluxcd.io
}

// Owner is another program that writes the object, or may.
type Owner struct {
	Name     string   // what --override-owner takes: "argocd", "flagger", …
	Title    string   // for people: "Argo CD application web"
	Evidence []string // the marks that say so
	Refuse   bool     // it would fight the edit: E_OWNED; else a warning
	Will     string   // what it will do about an edit
	Advice   string   // YAML or a command that lets both live; may span lines, may be empty
}

// recent is how fresh a stranger's write to the spec is to be worth a warning: longer than any reconcile that would have
// come back by now, shorter than what a person remembers.
const recent = 10 * time.Minute

// Owners finds who else writes the object of the entries, refusing ones first. now dates the newest writes.
func Owners(entries []Entry, r Related, now time.Time) []Owner {
	if len(entries) == 0 {
		return nil
	}
	m := marks{object: entries[0].Object, entries: entries}
	m.writers = Writers(m.object)
	var out []Owner
	for _, find := range []func(marks, Related) *Owner{argoRollouts, flagger, argoCD, fluxKustomize, fluxHelm, helm, iter8, kruise} {
		if o := find(m, r); o != nil {
			out = append(out, *o)
		}
	}
	if slices.ContainsFunc(out, func(o Owner) bool { return o.Name == "flux-helm" }) {
		out = slices.DeleteFunc(out, func(o Owner) bool { return o.Name == "helm" }) // the same release
	}
	if o := m.stranger(out, now); o != nil {
		out = append(out, *o)
	}
	slices.SortStableFunc(out, func(a, b Owner) int {
		switch {
		case a.Refuse == b.Refuse:
			return 0
		case a.Refuse:
			return -1
		}
		return 1
	})
	return out
}

// CheckOwners is E_OWNED for the first owner that would fight the edit and is not named by overrides.
func CheckOwners(entries []Entry, owners []Owner, overrides []string) error {
	for _, o := range owners {
		if !o.Refuse || slices.Contains(overrides, o.Name) {
			continue
		}
		e := entries[0]
		hint := "let both live (the snippet is printed by kubectl mesh-split check), or go on with --override-owner=" + o.Name
		if o.Advice == "" {
			hint = "change the weights there, or go on with --override-owner=" + o.Name
		}
		return refuse("E_OWNED", hint, "%s %s/%s belongs to %s (%s): %s", strings.ToLower(e.Kind()), e.Namespace(), e.ObjectName(), o.Title,
			printable(strings.Join(o.Evidence, "; ")), o.Will)
	}
	return nil
}

// marks are what an object says about its owners.
type marks struct {
	object  Object
	entries []Entry
	writers []Writer
}

func (m marks) label(key string) string {
	s, _ := dict(m.object, "metadata", "labels")[key].(string)
	return s
}

func (m marks) annotation(key string) string {
	s, _ := dict(m.object, "metadata", "annotations")[key].(string)
	return s
}

func (m marks) namespace() string { return namespace(m.object) }
func (m marks) name() string      { return objectName(m.object) }

// manager says that a field manager of one of the names wrote anything.
func (m marks) manager(names ...string) (evidence []string) {
	for _, w := range m.writers {
		if slices.Contains(names, w.Manager) {
			return []string{"field manager " + w.String()}
		}
	}
	return nil
}

// controller is the owner reference of the object's controller, or nil.
func (m marks) controller() map[string]any {
	for _, ref := range dicts(m.object, "metadata", "ownerReferences") {
		if boolean(ref, "controller") {
			return ref
		}
	}
	return nil
}

// known are field managers that the table knows, and ours.
var known = []string{FieldManager, "rollouts-controller", "flagger", "argocd-controller", "argocd-application-controller",
	"kustomize-controller", "helm-controller", "helm", "iter8-controller"}

// stranger is a controller or a fresh writer that nothing in the table explains.
func (m marks) stranger(found []Owner, now time.Time) *Owner {
	if ref := m.controller(); ref != nil && !(str(ref, "kind") == "Canary" && len(found) > 0) {
		title := str(ref, "kind") + " " + str(ref, "name")
		return &Owner{Name: strings.ToLower(str(ref, "kind")), Title: printable(title),
			Evidence: []string{"controller ownerReference " + title + " of " + str(ref, "apiVersion")}, Will: "it may write the object again"}
	}
	for _, w := range m.writers {
		if len(w.Spec) > 0 && !slices.Contains(known, w.Manager) && !w.Time.IsZero() && now.Sub(w.Time) < recent {
			return &Owner{Name: w.Manager, Title: printable(w.Manager), Evidence: []string{fmt.Sprintf("it wrote the spec %s ago", now.Sub(w.Time).Round(time.Second))},
				Will: "it may write the object again"}
		}
	}
	return nil
}
