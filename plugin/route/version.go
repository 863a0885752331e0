package route

import "strings"

// The labels that say a version, in the order they are believed.
var versionLabels = []string{"version", "app.kubernetes.io/version"}

func versionOf(l map[string]string) string {
	for _, key := range versionLabels {
		if l[key] != "" {
			return l[key]
		}
	}
	return ""
}

// version is the version label of a destination: of its subset, else of the Service's selector, else the one that all
// endpoints of a ServiceEntry share; empty if nothing says it.
func (m *Mesh) version(d *Destination, objectNamespace string) string {
	if m == nil || d.FQDN == "" {
		return ""
	}
	if d.Subset != "" {
		if v := versionOf(m.subsetLabels(d, objectNamespace)); v != "" {
			return v
		}
	}
	for _, s := range m.Services {
		if d.Service != "" && objectName(s) == d.Service && namespace(s) == d.Namespace {
			if l := labels(s, "spec", "selector"); len(l) > 0 { // else somebody else says where its endpoints are
				return versionOf(l)
			}
		}
	}
	for _, s := range m.ServiceEntries {
		for _, h := range strs(s, "spec", "hosts") {
			if strings.EqualFold(h, d.FQDN) {
				if v := versionOfEndpoints(s); v != "" {
					return v
				}
			}
		}
	}
	return ""
}

func versionOfEndpoints(serviceEntry Object) string {
	var version string
	for i, e := range dicts(serviceEntry, "spec", "endpoints") {
		v := versionOf(labels(e, "labels"))
		if i > 0 && v != version {
			return ""
		}
		version = v
	}
	if version == "" {
		return versionOf(labels(serviceEntry, "spec", "workloadSelector", "labels"))
	}
	return version
}

// subsetLabels are the labels of the destination's subset: rules beside the Service count before those beside the object
// and before any other, an exact host before a wildcard.
func (m *Mesh) subsetLabels(d *Destination, objectNamespace string) map[string]string {
	var best map[string]string
	bestRank := -1
	for _, r := range m.DestinationRules {
		host := strings.ToLower(str(r, "spec", "host"))
		if !strings.Contains(host, ".") && host != "*" {
			host += "." + namespace(r) + ".svc." + m.domain()
		}
		rank := 0
		switch {
		case host == d.FQDN:
			rank = 4
		case !hostCovers(host, d.FQDN):
			continue
		}
		switch namespace(r) {
		case d.Namespace:
			rank += 2
		case objectNamespace:
			rank++
		}
		if rank <= bestRank {
			continue
		}
		for _, s := range dicts(r, "spec", "subsets") {
			if str(s, "name") == d.Subset {
				best, bestRank = labels(s, "labels"), rank
				break
			}
		}
	}
	return best
}
