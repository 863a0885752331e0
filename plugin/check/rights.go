package check

import (
	"context"
	"strings"

	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/screen"
	"github.com/mesh-split/mesh-split/verify/report"
)

// role is a set of rights that belong together: one ClusterRole of docs/rbac.yaml, which a test holds against this.
type role struct {
	name, without string // and what does not work without it
	rights        []mesh.Right
	instead       *mesh.Right // does as well
	optional      bool        // most never need it
}

// roles are what the commands need, for objects of a kind and a namespace whose gateways run in another.
func roles(kind mesh.Kind, namespace, gateways string) []role {
	istio := mesh.VirtualService.Group
	return []role{
		{"observe", "names, checks and gateways are known only in part", []mesh.Right{
			{Verb: "get", Group: kind.Group, Resource: kind.Resource, Namespace: namespace},
			{Verb: "list", Group: kind.Group, Resource: kind.Resource, Namespace: namespace},
			{Verb: "watch", Group: kind.Group, Resource: kind.Resource, Namespace: namespace},
			{Verb: "get", Group: kind.Group, Resource: "gateways"},
			{Verb: "list", Group: istio, Resource: "destinationrules"},
			{Verb: "list", Group: istio, Resource: "serviceentries"},
			{Verb: "list", Resource: "services"},
			{Verb: "list", Resource: "pods"},
			{Verb: "list", Group: "discovery.k8s.io", Resource: "endpointslices"},
		}, nil, false},
		{"edit", "set and undo are refused by the API server", []mesh.Right{
			{Verb: "patch", Group: kind.Group, Resource: kind.Resource, Namespace: namespace},
		}, nil, false},
		{"inspect", "whether a change is live cannot be seen (set --wait=false)", []mesh.Right{
			{Verb: "create", Resource: "pods/portforward", Namespace: gateways},
			{Verb: "get", Resource: "pods/portforward", Namespace: gateways},
		}, &mesh.Right{Verb: "create", Resource: "pods/exec", Namespace: gateways}, false},
		{"history", "only --history=configmap needs it", []mesh.Right{
			{Verb: "get", Resource: "configmaps", Namespace: namespace, Name: mesh.Notes},
			{Verb: "update", Resource: "configmaps", Namespace: namespace, Name: mesh.Notes},
			{Verb: "create", Resource: "configmaps", Namespace: namespace},
		}, nil, true},
	}
}

// rights says which roles one has, and of the others what is missing.
func (o *Options) rights(ctx context.Context, show *screen.Screen, kind mesh.Kind, gateways string) {
	for _, r := range roles(kind, o.Client.Namespace, gateways) {
		var missing []string
		for _, right := range o.Client.Review(ctx, r.rights) {
			switch {
			case right.Unknown != "":
				missing = append(missing, right.String()+" (not known: "+right.Unknown+")")
			case !right.Allowed:
				missing = append(missing, right.String())
			}
		}
		if len(missing) == 0 {
			show.Done("may "+r.name, "every right of the role mesh-split-%s", r.name)
			continue
		}
		if r.instead != nil && o.Client.Review(ctx, []mesh.Right{*r.instead})[0].Allowed {
			show.Done("may "+r.name, "by the right to %s", report.Safe(r.instead.String()))
			continue
		}
		say := show.Broken
		if r.optional {
			say = show.Left
		}
		say("may "+r.name, "no right to %s: %s", report.Safe(strings.Join(missing, ", ")), r.without)
	}
}
