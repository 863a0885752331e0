package get

import (
	"bytes"
	"io"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/cli-runtime/pkg/printers"

	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/verify/report"
	"github.com/mesh-split/mesh-split/verify/safe"
)

// output writes objects in one of three forms. Tables and names are written page by page as they come; a document is one, and
// is written when it is whole.
type output struct {
	options *Options
	tab     flusher                        // of a table: remembers its widths from page to page; nil else
	printer printers.ResourcePrinter       // of all forms
	items   *unstructured.UnstructuredList // of a document; nil else
	rows    int                            // so far
}

type flusher interface {
	io.Writer
	Flush() error
}

func (o *Options) output() (*output, error) {
	out := &output{options: o}
	var err error
	switch *o.Print.OutputFormat {
	case "", "wide":
		out.tab = printers.GetNewTabWriter(o.Streams.Out)
		out.printer = printers.NewTablePrinter(printers.PrintOptions{NoHeaders: o.NoHeaders, Wide: *o.Print.OutputFormat == "wide", WithNamespace: o.All})
		return out, nil
	case "name":
	default:
		out.items = emptyList()
	}
	out.printer, err = o.Print.ToPrinter()
	return out, err
}

// named says that only the objects' names are wanted: what gives destinations theirs need not be read.
func (p *output) named() bool { return p.tab == nil && p.items == nil }

// add takes a page of objects.
func (p *output) add(page []mesh.Object, k *known) error {
	var rows []row
	for _, object := range page {
		if p.named() {
			p.rows++
			if err := p.printer.PrintObj(object.Unstructured, p.options.Streams.Out); err != nil {
				return err
			}
			continue
		}
		entries, err := route.Entries(object.Object, k.names)
		if err != nil {
			return err
		}
		history := route.HistoryOf(object.Object).With(k.history(object))
		for _, e := range entries {
			if len(e.Destinations) > 0 {
				rows = append(rows, row{object, e, history})
			}
		}
	}
	p.rows += len(rows)
	switch {
	case p.items != nil:
		for _, r := range rows {
			p.items.Items = append(p.items.Items, document(r, p.options.Client.Context))
		}
	case len(rows) > 0:
		return p.printer.PrintObj(table(rows), p.tab) // it flushes every hundred rows by itself
	}
	return nil
}

// end writes what is left: the last rows, or the document of what was added since the last end.
func (p *output) end() error {
	switch {
	case p.tab != nil:
		return p.tab.Flush()
	case p.items == nil:
		return nil
	}
	list := p.items
	p.items = emptyList()
	if *p.options.Print.OutputFormat != "json" {
		return p.printer.PrintObj(list, p.options.Streams.Out)
	}
	var document bytes.Buffer
	if err := p.printer.PrintObj(list, &document); err != nil {
		return err
	}
	_, err := p.options.Streams.Out.Write(safe.JSON(document.Bytes()))
	return err
}

func emptyList() *unstructured.UnstructuredList {
	return &unstructured.UnstructuredList{Object: map[string]any{"apiVersion": report.APIVersion, "kind": "RouteList"},
		Items: []unstructured.Unstructured{}}
}
