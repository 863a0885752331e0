package measure

import (
	"net/http"
	"slices"
	"strings"

	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/verify/fault"
)

// Headers by which applications say their version, in the order they are believed: a destination's name is still right
// when two destinations run the same version.
var versionHeaders = []string{"x-app-destination", "x-app-version", "x-version", "app-version", "version"}

// naming says how replies name versions: the header, and the label of each destination, in the entry's order.
type naming struct {
	header string
	labels []string
}

// readings are the ways a label can mean a destination.
var readings = []struct {
	name string
	of   func(route.Destination) string
}{
	{"version label", func(d route.Destination) string { return d.Version }},
	{"subset", func(d route.Destination) string { return d.Subset }},
	{"namespace", func(d route.Destination) string { return d.Namespace }},
	{"service", func(d route.Destination) string { return d.Service }},
	{"service.namespace", func(d route.Destination) string { return join(d.Service, ".", d.Namespace) }},
	{"host", func(d route.Destination) string { return d.FQDN }},
	{"short name", func(d route.Destination) string { return d.Short }},
	{"service/subset", func(d route.Destination) string { return join(d.Service, "/", d.Subset) }},
}

func join(a, between, b string) string {
	if a == "" || b == "" {
		return ""
	}
	return a + between + b
}

// labelsFor gives the label of every destination when some reading explains all labels seen, and tells destinations apart.
// Same is true when a reading explains them but gives two destinations one label.
func labelsFor(ds []route.Destination, seen []string) (labels []string, same bool) {
	for _, r := range readings {
		labels := make([]string, len(ds))
		for i, d := range ds {
			labels[i] = r.of(d)
		}
		explained := !slices.ContainsFunc(seen, func(s string) bool { return !slices.Contains(labels, s) })
		if len(seen) == 0 || !explained || slices.Contains(labels, "") {
			continue
		}
		if len(slices.Compact(slices.Sorted(slices.Values(labels)))) < len(labels) {
			same = true
			continue
		}
		return labels, false
	}
	return nil, same
}

// identify finds the first header whose values name the entry's destinations.
func identify(e route.Entry, replies []http.Header) (naming, error) {
	var said, twins []string
	for _, h := range versionHeaders {
		seen := values(replies, h)
		if len(seen) == 0 {
			continue
		}
		labels, same := labelsFor(e.Destinations, seen)
		if labels != nil {
			return naming{h, labels}, nil
		}
		said = append(said, h+": "+strings.Join(seen, ", "))
		if same {
			twins = append(twins, h)
		}
	}
	const hint = "say where a reply names its destination, by the names here (%NAMES): --identify header:NAME, json:/POINTER or body:/RE/; or let the gateways say it while it is measured: --identify inject"
	advice := strings.Replace(hint, "%NAMES", strings.Join(e.Names(), ", "), 1)
	switch {
	case len(twins) > 0:
		return naming{}, fault.Usagef(advice, "two destinations of %s have one label in %s", e, strings.Join(twins, ", ")).Named("E_SAME_LABEL")
	case len(said) > 0:
		return naming{}, fault.New(fault.Failed, advice, "replies name no destination of %s (they say %s); a service behind the destinations may say that, and what is split there is another split",
			e, strings.Join(said, "; ")).Named("E_NO_VERSION")
	}
	return naming{}, fault.New(fault.Failed, advice, "no version in the replies: none of the headers %s", strings.Join(versionHeaders, ", ")).Named("E_NO_VERSION")
}

// values are the distinct values of a header over all replies, sorted.
func values(replies []http.Header, header string) []string {
	var seen []string
	for _, h := range replies {
		if v := strings.TrimSpace(h.Get(header)); v != "" {
			seen = append(seen, v)
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(seen)))
}
