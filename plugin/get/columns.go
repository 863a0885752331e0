package get

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/mesh-split/mesh-split/plugin/fleet"
	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/verify/report"
)

// row is one entry of one object.
type row struct {
	object  mesh.Object
	entry   route.Entry
	history route.History
}

// columns are the table: a header, and how its cell is made. Wide ones have priority 1.
var columns = []struct {
	header   string
	priority int32
	cell     func(row) string
}{
	{"Name", 0, func(r row) string { return r.object.Argument() }},
	{"Route", 0, func(r row) string { return r.entry.Label() }},
	{"Destinations", 0, func(r row) string { return strings.Join(r.entry.Names(), ",") }},
	{"Weights", 0, func(r row) string { return fleet.Weights(r.entry.Weights()) }},
	{"Shares", 0, func(r row) string { return strings.Join(r.shares(), ",") }},
	{"Verdict", 0, func(r row) string { return r.last().Verdict }},
	{"Hosts", 1, func(r row) string { return strings.Join(mesh.Hosts(r.object), ",") }},
	{"Gateways", 1, func(r row) string { return strings.Join(mesh.Parents(r.object), ",") }},
	{"Changed", 1, func(r row) string { return r.last().At }},
	{"By", 1, func(r row) string { return r.last().By }},
}

// table is what kubectl's table printer takes.
func table(rows []row) *metav1.Table {
	t := &metav1.Table{}
	for _, c := range columns {
		t.ColumnDefinitions = append(t.ColumnDefinitions, metav1.TableColumnDefinition{Name: c.header, Type: "string", Priority: c.priority})
	}
	for _, r := range rows {
		cells := make([]any, len(columns))
		for i, c := range columns {
			cells[i] = report.Safe(c.cell(r))
		}
		t.Rows = append(t.Rows, metav1.TableRow{Cells: cells, Object: runtime.RawExtension{Object: r.object.Unstructured}})
	}
	return t
}

// shares are percentages, or "–" where the weights are no split.
func (r row) shares() []string {
	list := make([]string, len(r.entry.Destinations))
	exact := r.entry.Shares()
	for i := range list {
		list[i] = "–"
		if exact != nil {
			f, _ := exact[i].Float64()
			list[i] = strings.ReplaceAll(report.Percent(f, 2), " ", "")
		}
	}
	return list
}

// last is the newest recorded change of the entry that was made; empty where none is.
func (r row) last() route.HistoryItem {
	i := slices.IndexFunc(r.history.Items, func(h route.HistoryItem) bool { return h.Route == r.entry.Label() && h.Verdict != route.NotWritten })
	if i < 0 {
		return route.HistoryItem{}
	}
	return r.history.Items[i]
}

// document is a row as -o json, yaml and jsonpath print it.
func document(r row, context string) unstructured.Unstructured {
	var destinations []any
	shares := r.entry.Shares()
	for i, d := range r.entry.Destinations {
		one := map[string]any{"name": d.Short, "host": d.FQDN, "weight": d.Effective}
		if shares != nil {
			f, _ := shares[i].Float64()
			one["share"] = f
		}
		for key, value := range map[string]string{"subset": d.Subset, "version": d.Version} {
			if value != "" {
				one[key] = value
			}
		}
		if d.Port != 0 {
			one["port"] = int64(d.Port)
		}
		destinations = append(destinations, one)
	}
	item := map[string]any{
		"apiVersion": report.APIVersion, "kind": "Route",
		"metadata": map[string]any{"name": r.object.GetName(), "namespace": r.object.GetNamespace()},
		"context":  context,
		"object":   map[string]any{"apiVersion": r.object.GetAPIVersion(), "kind": r.object.GetKind()},
		"route":    r.entry.Label(), "destinations": destinations,
		"hosts": anys(mesh.Hosts(r.object)), "gateways": anys(mesh.Parents(r.object)),
	}
	if last := r.last(); last.ID != 0 {
		item["lastChange"] = map[string]any{"revision": last.ID, "at": last.At, "by": last.By, "operation": last.Op, "verdict": last.Verdict}
	}
	return unstructured.Unstructured{Object: item}
}

func anys(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}
