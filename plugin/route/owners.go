package route

import (
	"fmt"
	"slices"
	"strings"
)

// The table of owners. Marks were read in the projects' sources: argo-rollouts 9f8d111d8, flagger 15bd6ad5, argo-cd
// 37ee0097, fluxcd/pkg e2cfd1a2, kustomize-controller 186fb3b2, openkruise 9dd6279, iter8 dedca809.

func argoRollouts(m marks, r Related) *Owner {
	evidence := m.manager("rollouts-controller")
	if m.label("rollouts-pod-template-hash") != "" {
		evidence = append(evidence, "label rollouts-pod-template-hash")
	}
	if m.label("rollouts.argoproj.io/gatewayapi-canary") == "in-progress" {
		evidence = append(evidence, "label rollouts.argoproj.io/gatewayapi-canary=in-progress")
	}
	for _, rollout := range r.Rollouts {
		istio := dict(rollout, "spec", "strategy", "canary", "trafficRouting", "istio")
		services := append(dicts(istio, "virtualServices"), dict(istio, "virtualService"))
		for _, s := range services {
			name, ns, dotted := strings.Cut(str(s, "name"), ".")
			if !dotted {
				ns = namespace(rollout)
			}
			if str(m.object, "kind") == "VirtualService" && name == m.name() && ns == m.namespace() {
				evidence = append(evidence, "Rollout "+namespace(rollout)+"/"+objectName(rollout)+" names it")
			}
		}
	}
	if evidence == nil {
		return nil
	}
	return &Owner{Name: "argo-rollouts", Title: "Argo Rollouts", Evidence: evidence, Refuse: true,
		Will: "its controller sets the weights of the current step again", Advice: "kubectl argo rollouts set weight, promote or abort change them for good"}
}

func flagger(m marks, r Related) *Owner {
	evidence := m.manager("flagger")
	if ref := m.controller(); str(ref, "kind") == "Canary" && strings.HasPrefix(str(ref, "apiVersion"), "flagger.app/") {
		evidence = append(evidence, "controller ownerReference Canary "+str(ref, "name"))
	}
	if m.annotation("flagger.kubernetes.io/original-configuration") != "" {
		evidence = append(evidence, "annotation flagger.kubernetes.io/original-configuration")
	}
	if m.annotation("kustomize.toolkit.fluxcd.io/reconcile") == "disabled" && m.annotation("helm.toolkit.fluxcd.io/driftDetection") == "disabled" {
		evidence = append(evidence, "annotations reconcile and driftDetection, both disabled, as flagger writes them")
	}
	for _, c := range r.Canaries {
		name := str(c, "spec", "service", "name")
		if name == "" {
			name = str(c, "spec", "targetRef", "name")
		}
		if name == m.name() && namespace(c) == m.namespace() {
			evidence = append(evidence, "Canary "+namespace(c)+"/"+objectName(c)+" has this service")
		}
	}
	if evidence == nil {
		return nil
	}
	return &Owner{Name: "flagger", Title: "Flagger", Evidence: evidence, Refuse: true,
		Will: "it writes the whole routes again at its next interval and drops annotations it does not know", Advice: "suspend the Canary: spec.suspend: true"}
}

func argoCD(m marks, r Related) *Owner {
	var evidence []string
	app := ""
	if id := m.annotation("argocd.argoproj.io/tracking-id"); id != "" {
		app, _, _ = strings.Cut(id, ":")
		evidence = append(evidence, "annotation argocd.argoproj.io/tracking-id "+id)
	} else if written := m.manager("argocd-controller", "argocd-application-controller"); written != nil {
		app = m.label("app.kubernetes.io/instance")
		evidence = written
	}
	if evidence == nil {
		return nil
	}
	o := &Owner{Name: "argocd", Title: "Argo CD", Evidence: evidence, Refuse: true, Advice: m.argoCDSnippet(),
		Will: "it may set the weights back (whether it heals by itself could not be read)"}
	if app != "" {
		o.Title += " application " + printable(app)
	}
	for _, a := range r.Applications {
		if objectName(a) != app && namespace(a)+"_"+objectName(a) != app {
			continue
		}
		switch {
		case m.argoCDIgnores(a):
			o.Refuse, o.Will, o.Advice = false, "it ignores the weights; git still says the old ones", ""
		case boolean(a, "spec", "syncPolicy", "automated", "selfHeal"):
			o.Will = "it heals by itself and sets the weights back after about 5 s"
		default:
			o.Refuse, o.Will = false, "its next sync sets the weights back"
		}
	}
	return o
}

// lists are the section and the name of its list of destinations, of each section that is edited.
func (m marks) lists() []string {
	var out []string
	for _, e := range m.entries {
		if s := string(e.Section) + "[]." + e.Section.list() + "[]"; !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// argoCDIgnores says that an Application leaves our weights alone, on a sync too.
func (m marks) argoCDIgnores(app Object) bool {
	if !slices.Contains(strs(app, "spec", "syncPolicy", "syncOptions"), "RespectIgnoreDifferences=true") {
		return false
	}
	for _, list := range m.lists() {
		if !slices.ContainsFunc(dicts(app, "spec", "ignoreDifferences"), func(i map[string]any) bool {
			return str(i, "kind") == str(m.object, "kind") && (str(i, "name") == "" || str(i, "name") == m.name()) &&
				slices.Contains(strs(i, "jqPathExpressions"), ".spec."+list+".weight")
		}) {
			return false
		}
	}
	return true
}

func (m marks) argoCDSnippet() string {
	group, _, _ := strings.Cut(str(m.object, "apiVersion"), "/")
	var paths []string
	for _, list := range m.lists() {
		paths = append(paths, fmt.Sprintf("%q", ".spec."+list+".weight"))
	}
	return fmt.Sprintf(`spec: # Argo CD Application
  ignoreDifferences:
  - {group: %s, kind: %s, name: %s, jqPathExpressions: [%s]}
  syncPolicy:
    syncOptions: [RespectIgnoreDifferences=true, ApplyOutOfSyncOnly=true]
`, group, str(m.object, "kind"), m.name(), strings.Join(paths, ", "))
}

func fluxKustomize(m marks, r Related) *Owner {
	evidence := m.manager("kustomize-controller")
	name, ns := m.label("kustomize.toolkit.fluxcd.io/name"), m.label("kustomize.toolkit.fluxcd.io/namespace")
	if name != "" {
		evidence = append(evidence, "label kustomize.toolkit.fluxcd.io/name "+name)
	}
	if evidence == nil {
		return nil
	}
	o := &Owner{Name: "flux", Title: "Flux kustomization " + printable(ns+"/"+name), Evidence: evidence, Refuse: true,
		Will: "it sets the weights back at its next interval", Advice: m.fluxSnippet("spec: # Flux Kustomization; older than 2026-08: annotate the source kustomize.toolkit.fluxcd.io/ssa: Ignore\n  ignore:\n", "  ")}
	spare := func(why string) { o.Refuse, o.Will, o.Advice = false, why+"; git still says the old weights", "" }
	if ssa := m.annotation("kustomize.toolkit.fluxcd.io/ssa"); ssa == "Ignore" || ssa == "IfNotPresent" {
		spare("annotation ssa: " + ssa + " keeps it away")
	}
	if m.annotation("kustomize.toolkit.fluxcd.io/reconcile") == "disabled" {
		spare("annotation reconcile: disabled keeps it away")
	}
	for _, k := range r.Kustomizations {
		if objectName(k) != name || namespace(k) != ns {
			continue
		}
		if interval := str(k, "spec", "interval"); interval != "" && o.Refuse {
			o.Will = "it sets the weights back at its next interval (" + printable(interval) + ")"
		}
		if boolean(k, "spec", "suspend") {
			spare("it is suspended")
		}
		if m.ignored(dicts(k, "spec", "ignore")) {
			spare("it ignores the weights")
		}
	}
	return o
}

func fluxHelm(m marks, r Related) *Owner {
	evidence := m.manager("helm-controller")
	name, ns := m.label("helm.toolkit.fluxcd.io/name"), m.label("helm.toolkit.fluxcd.io/namespace")
	if name != "" {
		evidence = append(evidence, "label helm.toolkit.fluxcd.io/name "+name)
	}
	if evidence == nil {
		return nil
	}
	o := &Owner{Name: "flux-helm", Title: "Flux helmrelease " + printable(ns+"/"+name), Evidence: evidence, Will: "an upgrade of the release may set the weights back"}
	if m.annotation("helm.toolkit.fluxcd.io/driftDetection") == "disabled" {
		return o
	}
	for _, h := range r.HelmReleases {
		if objectName(h) == name && namespace(h) == ns && str(h, "spec", "driftDetection", "mode") == "enabled" && !m.ignored(dicts(h, "spec", "driftDetection", "ignore")) {
			o.Refuse, o.Will = true, "its drift detection sets the weights back"
			o.Advice = m.fluxSnippet("spec: # Flux HelmRelease\n  driftDetection:\n    ignore:\n", "    ")
		}
	}
	return o
}

// weightPaths are the JSON pointers of all weights that are edited.
func (m marks) weightPaths() []string {
	var out []string
	for _, e := range m.entries {
		for i := range e.Destinations {
			out = append(out, e.path(i)+"/weight")
		}
	}
	return out
}

// ignored says that a Flux list of ignore rules covers every weight that is edited.
func (m marks) ignored(rules []map[string]any) bool {
	var paths []string
	for _, rule := range rules {
		target := dict(rule, "target")
		if kind, name := str(target, "kind"), str(target, "name"); (kind == "" || kind == str(m.object, "kind")) && (name == "" || name == m.name()) {
			paths = append(paths, strs(rule, "paths")...)
		}
	}
	for _, p := range m.weightPaths() {
		if !slices.ContainsFunc(paths, func(covered string) bool { return p == covered || strings.HasPrefix(p, covered+"/") }) {
			return false
		}
	}
	return len(m.weightPaths()) > 0
}

func (m marks) fluxSnippet(head, indent string) string {
	paths := append(m.weightPaths(), "/metadata/annotations/"+escape(HistoryKey))
	return fmt.Sprintf("%s%s- {target: {kind: %s, name: %s}, paths: [%s]}\n", head, indent, str(m.object, "kind"), m.name(), strings.Join(paths, ", "))
}

func helm(m marks, _ Related) *Owner {
	evidence := m.manager("helm")
	release := m.annotation("meta.helm.sh/release-name")
	if m.label("app.kubernetes.io/managed-by") == "Helm" {
		evidence = append(evidence, "label app.kubernetes.io/managed-by=Helm")
	}
	if release != "" {
		evidence = append(evidence, "annotation meta.helm.sh/release-name "+release)
	}
	if evidence == nil {
		return nil
	}
	return &Owner{Name: "helm", Title: strings.TrimSpace("Helm release " + printable(release)), Evidence: evidence,
		Will: "an upgrade whose chart changes these routes sets the weights back"}
}

func iter8(m marks, _ Related) *Owner {
	evidence := m.manager("iter8-controller")
	if m.label("app.kubernetes.io/managed-by") == "iter8" {
		evidence = append(evidence, "label app.kubernetes.io/managed-by=iter8")
	}
	if m.label("iter8.tools/watch") != "" || m.annotation("iter8.tools/watch") != "" {
		evidence = append(evidence, "iter8.tools/watch")
	}
	if evidence == nil {
		return nil
	}
	return &Owner{Name: "iter8", Title: "Iter8", Evidence: evidence, Refuse: true, Will: "its controller sets the weights again"}
}

func kruise(m marks, _ Related) *Owner {
	const key = "rollouts.kruise.io/original-spec-configuration"
	if m.annotation(key) == "" {
		return nil
	}
	return &Owner{Name: "openkruise", Title: "OpenKruise Rollouts", Evidence: []string{"annotation " + key}, Refuse: true,
		Will: "a rollout is on: it sets the weights of its step, and restores the whole spec at its end"}
}
