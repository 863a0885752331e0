package route

import (
	"fmt"
	"slices"
	"strings"
)

// RevisionLabel is on objects that only one revision of istiod reads. On pods it is an annotation, by which Istio's injector says
// whose configuration they take; as a pod's label it is a wish, and may name a tag.
const RevisionLabel = "istio.io/rev"

// Istiod is what decides which objects an istiod reads at all. What is not known hides nothing.
type Istiod struct {
	Revision   string                       // its REVISION; "" is unknown, or none: that one reads every revision
	Config     string                       // namespace/name of the ConfigMap with its mesh config
	Selectors  []Object                     // discoverySelectors of that; none: it reads every namespace
	Namespaces map[string]map[string]string // labels of namespaces by name, as far as they were read
	Scoped     bool                         // PILOT_SCOPE_GATEWAY_TO_NAMESPACE: gateway pods take only Gateways of their namespace
}

// Unread is why an istiod does not read an object, or not for a gateway, and what would change that.
type Unread struct{ Code, Says, Advice string }

// Unread says what keeps the istiod from reading an object of a kind that Istio defines, or from reading routes and Gateways of the
// Gateway API; nil where nothing is known to.
//
// Revisions are compared as text: a label that names a tag fits no istiod, not even the one that the tag points to (istio
// pkg/config/model.go LabelsInRevision, pilot/pkg/config/kube/crdclient). The Gateways of the Gateway API are read by every revision.
func (i Istiod) Unread(o Object) *Unread {
	title := strings.ToLower(str(o, "kind")) + " " + namespace(o) + "/" + objectName(o)
	api := strings.Split(str(o, "apiVersion"), "/")[0]
	of := str(o, "metadata", "labels", RevisionLabel)
	foreign := api == gatewayGroup && str(o, "kind") == "Gateway"
	if _, labelled := dict(o, "metadata", "labels")[RevisionLabel]; labelled && i.Revision != "" && of != i.Revision && !foreign {
		object := strings.ToLower(str(o, "kind")) + "." + api + " " + objectName(o) + " -n " + namespace(o)
		return &Unread{"other-revision",
			printable(fmt.Sprintf("%s has the label %s=%s, and the istiod of the gateways, revision %s, does not read it", title, RevisionLabel, of, i.Revision)),
			printable(fmt.Sprintf("kubectl label %s %s- takes the label off, and every revision reads it; or write %s=%s (the name of a tag will not do)", object, RevisionLabel, RevisionLabel, i.Revision))}
	}
	known, read := i.Namespaces[namespace(o)]
	if !read || i.discovers(known) != no {
		return nil
	}
	return &Unread{"hidden-namespace",
		printable(fmt.Sprintf("istiod reads nothing in namespace %s, where %s is: discoverySelectors of its mesh config (ConfigMap %s) do not select it", namespace(o), title, i.Config)),
		printable(fmt.Sprintf("kubectl label namespace %s with what one of them selects (%s), or change them", namespace(o), i.selectors()))}
}

// OutOfScope says that gateway pods of a namespace take no Gateway of another, where istiod runs so. istio
// pilot/pkg/model/push_context.go mergeGateways.
func (i Istiod) OutOfScope(gateway Object, pods string) *Unread {
	if !i.Scoped || strings.HasPrefix(str(gateway, "apiVersion"), gatewayGroup) || pods == namespace(gateway) {
		return nil
	}
	return &Unread{"gateway-scope",
		printable(fmt.Sprintf("istiod runs with PILOT_SCOPE_GATEWAY_TO_NAMESPACE, and the gateway pods in %s take no Gateway of another namespace, such as %s/%s", pods, namespace(gateway), objectName(gateway))),
		printable(fmt.Sprintf("bind it to a Gateway in %s (spec.gateways: %s/NAME), or run istiod without", pods, pods))}
}

// outOfScope is Istiod.OutOfScope of the istiod that feeds a proxy. Without its pods its namespace is not known.
func (m *Mesh) outOfScope(gateway Object, p Proxy) *Unread {
	if p.Namespace == "" {
		return nil
	}
	return Istiod{Scoped: slices.Contains(m.Scoped, p.Revision)}.OutOfScope(gateway, p.Namespace)
}

// discovers says whether a namespace with such labels is read: one selector is enough, and each means all that it says. A selector
// that is no selector makes istiod keep what it had before, so nothing is known. istio pkg/kube/namespace/filter.go; the root
// namespace is no exception there.
func (i Istiod) discovers(labels map[string]string) truth {
	is := truthOf(len(i.Selectors) == 0)
	for _, s := range i.Selectors {
		one := selects(s, labels)
		if one == unknown {
			return unknown
		}
		is = max(is, one)
	}
	return is
}

// selects says whether a label selector takes labels: matchLabels and matchExpressions all together. An empty one takes everything.
func selects(selector Object, of map[string]string) truth {
	fits := yes
	for key, v := range dict(selector, "matchLabels") {
		have, there := of[key]
		fits = both(fits, truthOf(there && have == v))
	}
	for _, e := range dicts(selector, "matchExpressions") {
		have, there := of[str(e, "key")]
		values := strs(e, "values")
		listed := there && slices.Contains(values, have)
		switch operator := str(e, "operator"); {
		case operator == "In" && len(values) > 0:
			fits = both(fits, truthOf(listed))
		case operator == "NotIn" && len(values) > 0:
			fits = both(fits, truthOf(!listed))
		case operator == "Exists" && len(values) == 0:
			fits = both(fits, truthOf(there))
		case operator == "DoesNotExist" && len(values) == 0:
			fits = both(fits, truthOf(!there))
		default:
			return unknown
		}
	}
	return fits
}

// selectors writes the selectors as kubectl does.
func (i Istiod) selectors() string {
	var all []string
	for _, s := range i.Selectors {
		var terms []string
		for key, v := range dict(s, "matchLabels") {
			terms = append(terms, fmt.Sprintf("%s=%v", key, v))
		}
		slices.Sort(terms)
		for _, e := range dicts(s, "matchExpressions") {
			key, values := str(e, "key"), "("+strings.Join(strs(e, "values"), ",")+")"
			terms = append(terms, map[string]string{"In": key + " in " + values, "NotIn": key + " notin " + values,
				"Exists": key, "DoesNotExist": "!" + key}[str(e, "operator")])
		}
		all = append(all, strings.Join(terms, ", "))
	}
	return strings.Join(all, "; or ")
}

// unread is Istiod.Unread of the istiod that feeds a proxy. Only the mesh config of the revision called default is known here.
func (m *Mesh) unread(o Object, p Proxy) *Unread {
	i := m.Istiod
	i.Revision = p.Revision
	if p.Revision != "" && p.Revision != "default" {
		i.Selectors = nil
	}
	return i.Unread(o)
}
