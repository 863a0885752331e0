package route_test

import (
	"strings"
	"testing"
	"time"

	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/verify/fault"
)

func TestOwners(t *testing.T) {
	manager := func(name string) string {
		return `managedFields: [{manager: ` + name + `, operation: Update, time: "2026-11-22T10:00:00Z", fieldsV1: {"f:spec": {"f:http": {}}}}]`
	}
	tracked := `annotations: {argocd.argoproj.io/tracking-id: 'web:networking.istio.io/VirtualService:shop/web'}`
	flux := `labels: {kustomize.toolkit.fluxcd.io/name: apps, kustomize.toolkit.fluxcd.io/namespace: flux-system}`
	release := `labels: {helm.toolkit.fluxcd.io/name: web, helm.toolkit.fluxcd.io/namespace: shop, app.kubernetes.io/managed-by: Helm}`
	app := func(spec string) route.Related {
		return route.Related{Applications: []route.Object{object(t, `{metadata: {namespace: argocd, name: web}, spec: {`+spec+`}}`)}}
	}
	kustomization := func(spec string) route.Related {
		return route.Related{Kustomizations: []route.Object{object(t, `{metadata: {namespace: flux-system, name: apps}, spec: {`+spec+`}}`)}}
	}
	helmRelease := func(spec string) route.Related {
		return route.Related{HelmReleases: []route.Object{object(t, `{metadata: {namespace: shop, name: web}, spec: {`+spec+`}}`)}}
	}
	rollout := func(ns, routing string) route.Related {
		return route.Related{Rollouts: []route.Object{object(t, `{metadata: {namespace: `+ns+`, name: app}, spec: {strategy: {canary: {trafficRouting: {istio: {`+routing+`}}}}}}`)}}
	}
	paths := "[/spec/http/0/route/0/weight, /spec/http/0/route/1/weight]"
	for _, tc := range []struct {
		about    string
		metadata string
		related  route.Related
		owner    string // of the first one, "" for none
		refuse   bool
		mentions string // in title, evidence, will or advice
	}{
		{"nobody", "", route.Related{}, "", false, ""},
		{"our own writes are no stranger's", manager("mesh-split"), route.Related{}, "", false, ""},
		{"C38 a Rollout of another namespace", "", rollout("other", "virtualService: {name: web.shop}"), "argo-rollouts", true, "Rollout other/app"},
		{"a Rollout beside it, in the list", "", rollout("shop", "virtualServices: [{name: x}, {name: web}]"), "argo-rollouts", true, "Rollout shop/app"},
		{"a Rollout with a route of the same name elsewhere", "", rollout("other", "virtualService: {name: web}"), "", false, ""},
		{"the controller's field manager", manager("rollouts-controller"), route.Related{}, "argo-rollouts", true, "field manager"},
		{"C39 flagger", "ownerReferences: [{apiVersion: flagger.app/v1beta1, kind: Canary, name: web, controller: true}]", route.Related{}, "flagger", true, "Canary web"},
		{"flagger without owner references", "", route.Related{Canaries: []route.Object{object(t, `{metadata: {namespace: shop, name: c}, spec: {service: {name: web}}}`)}}, "flagger", true, "Canary shop/c"},
		{"flagger's pair of annotations", "annotations: {kustomize.toolkit.fluxcd.io/reconcile: disabled, helm.toolkit.fluxcd.io/driftDetection: disabled}", route.Related{}, "flagger", true, ""},
		{"C40 Argo CD that heals", tracked, app("syncPolicy: {automated: {selfHeal: true}}"), "argocd", true, "after about 5 s"},
		{"Argo CD, application unreadable", tracked, route.Related{}, "argocd", true, `jqPathExpressions: [".spec.http[].route[].weight"]`},
		{"Argo CD that waits for a sync", tracked, app("syncPolicy: {}"), "argocd", false, "next sync"},
		{"Argo CD that ignores the weights", tracked, app(`ignoreDifferences: [{group: networking.istio.io, kind: VirtualService, name: web, jqPathExpressions: [".spec.http[].route[].weight"]}],
			syncPolicy: {automated: {selfHeal: true}, syncOptions: [RespectIgnoreDifferences=true]}`), "argocd", false, "git still says"},
		{"Argo CD that ignores them only when it compares", tracked, app(`ignoreDifferences: [{kind: VirtualService, jqPathExpressions: [".spec.http[].route[].weight"]}], syncPolicy: {automated: {selfHeal: true}}`), "argocd", true, ""},
		{"an instance label alone is Helm's as well", "labels: {app.kubernetes.io/instance: web}", route.Related{}, "", false, ""},
		{"with Argo CD's manager it is not", "labels: {app.kubernetes.io/instance: web}, " + manager("argocd-controller"), app("syncPolicy: {automated: {selfHeal: true}}"), "argocd", true, "application web"},
		{"Flux", flux, kustomization("interval: 10m"), "flux", true, "(10m)"},
		{"Flux, unreadable", flux, route.Related{}, "flux", true, "/spec/http/0/route/0/weight, /spec/http/0/route/1/weight, /metadata/annotations/mesh-split.dev~1history"},
		{"Flux, suspended", flux, kustomization("suspend: true"), "flux", false, "suspended"},
		{"Flux, weights ignored", flux, kustomization("ignore: [{target: {kind: VirtualService, name: web}, paths: " + paths + "}]"), "flux", false, "ignores the weights"},
		{"Flux, one weight ignored", flux, kustomization("ignore: [{paths: [/spec/http/0/route/0/weight]}]"), "flux", true, ""},
		{"Flux, of another object", flux, kustomization("ignore: [{target: {name: x}, paths: " + paths + "}]"), "flux", true, ""},
		{"Flux kept away", flux + ", annotations: {kustomize.toolkit.fluxcd.io/reconcile: disabled}", route.Related{}, "flux", false, "reconcile: disabled"},
		{"Flux applies once", flux + ", annotations: {kustomize.toolkit.fluxcd.io/ssa: IfNotPresent}", route.Related{}, "flux", false, "IfNotPresent"},
		{"a HelmRelease", release, helmRelease("interval: 5m"), "flux-helm", false, "upgrade"},
		{"a HelmRelease that watches for drift", release, helmRelease("driftDetection: {mode: enabled}"), "flux-helm", true, "driftDetection:"},
		{"drift ignored", release, helmRelease("driftDetection: {mode: enabled, ignore: [{paths: " + paths + "}]}"), "flux-helm", false, ""},
		{"Helm", "labels: {app.kubernetes.io/managed-by: Helm}, annotations: {meta.helm.sh/release-name: web}", route.Related{}, "helm", false, "release web"},
		{"Iter8", "labels: {app.kubernetes.io/managed-by: iter8}", route.Related{}, "iter8", true, ""},
		{"OpenKruise during a rollout", "annotations: {rollouts.kruise.io/original-spec-configuration: '{}'}", route.Related{}, "openkruise", true, "at its end"},
		{"another controller", "ownerReferences: [{apiVersion: x.io/v1, kind: Router, name: r, controller: true}]", route.Related{}, "router", false, "Router r"},
		{"an owner that is no controller", "ownerReferences: [{apiVersion: x.io/v1, kind: Router, name: r}]", route.Related{}, "", false, ""},
		{"a stranger two hours ago", manager("kubectl-edit"), route.Related{}, "", false, ""},
		{"a stranger just now", strings.Replace(manager("kubectl-edit"), "10:00", "11:55", 1), route.Related{}, "kubectl-edit", false, "5m0s ago"},
	} {
		o := object(t, `{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {namespace: shop, name: web, `+tc.metadata+`}, spec: `+reviews+`}`)
		es := entries(t, o, nil)
		owners := route.Owners(es, tc.related, noon)
		if tc.owner == "" {
			if len(owners) != 0 {
				t.Errorf("%s: got %+v, want nobody", tc.about, owners)
			}
			continue
		}
		if len(owners) != 1 || owners[0].Name != tc.owner || owners[0].Refuse != tc.refuse {
			t.Errorf("%s: got %+v, want %s alone, refuse %v", tc.about, owners, tc.owner, tc.refuse)
			continue
		}
		first := owners[0]
		if said := first.Title + " " + strings.Join(first.Evidence, " ") + " " + first.Will + " " + first.Advice; !strings.Contains(said, tc.mentions) {
			t.Errorf("%s: %q does not mention %q", tc.about, said, tc.mentions)
		}
		err := route.CheckOwners(es, owners, nil)
		if (nameOf(err) == "E_OWNED") != tc.refuse || tc.refuse && fault.ExitCode(err) != fault.Refused {
			t.Errorf("%s: got %v, want E_OWNED only for refuse", tc.about, err)
		}
		if tc.refuse && !strings.Contains(text(err), "--override-owner="+tc.owner) {
			t.Errorf("%s: %q does not say how to go on", tc.about, text(err))
		}
		if err := route.CheckOwners(es, owners, []string{tc.owner}); err != nil {
			t.Errorf("%s: overridden by name, got %v", tc.about, err)
		}
		if err := route.CheckOwners(es, owners, []string{"somebody"}); (err != nil) != tc.refuse {
			t.Errorf("%s: overridden by another name, got %v", tc.about, err)
		}
	}
}

// Several owners: the one that refuses comes first, and each must be named.
func TestOwnersSeveral(t *testing.T) {
	o := object(t, `{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {namespace: shop, name: r, labels: {app.kubernetes.io/managed-by: Helm,
		rollouts.argoproj.io/gatewayapi-canary: in-progress}, annotations: {argocd.argoproj.io/tracking-id: 'a:b'}}, spec: {rules: [{backendRefs: [{name: a}, {name: b}]}]}}`)
	es := entries(t, o, nil)
	owners := route.Owners(es, route.Related{}, time.Time{})
	var names []string
	for _, o := range owners {
		names = append(names, o.Name)
	}
	if got := strings.Join(names, " "); got != "argo-rollouts argocd helm" {
		t.Errorf("got %s, want argo-rollouts argocd helm", got)
	}
	if !strings.Contains(owners[1].Advice, ".spec.rules[].backendRefs[].weight") {
		t.Errorf("advice %q is not for an HTTPRoute", owners[1].Advice)
	}
	if err := route.CheckOwners(es, owners, []string{"argo-rollouts"}); nameOf(err) != "E_OWNED" {
		t.Errorf("one of two named: got %v, want E_OWNED", err)
	}
	if err := route.CheckOwners(es, owners, []string{"argo-rollouts", "argocd"}); err != nil {
		t.Errorf("both named: got %v", err)
	}
}
