// Docs writes what can be written from the code: reference pages of all commands and JSON Schemas of the documents that
// -o json prints. `make generate` runs it; `make check` fails when its output is not what is committed.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/invopop/jsonschema"
	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/mesh-split/mesh-split/plugin"
	"github.com/mesh-split/mesh-split/plugin/change"
	"github.com/mesh-split/mesh-split/verify/cli"
	"github.com/mesh-split/mesh-split/verify/report"
)

func main() {
	if err := run("docs"); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(dir string) error {
	pages := filepath.Join(dir, "reference")
	if err := os.RemoveAll(pages); err != nil { // a command that is gone leaves no page
		return err
	}
	if err := os.MkdirAll(pages, 0o755); err != nil {
		return err
	}
	nowhere := genericiooptions.IOStreams{Out: io.Discard, ErrOut: io.Discard}
	for _, root := range []*cobra.Command{plugin.NewCmdRoot(nowhere), cli.NewCommand(cli.Streams{Out: io.Discard, Err: io.Discard})} {
		root.DisableAutoGenTag = true // no date: equal code gives equal pages
		if err := doc.GenMarkdownTree(root, pages); err != nil {
			return err
		}
	}
	for name, of := range map[string]any{
		"verification-report.schema.json": &report.Verification{},
		"weight-change.schema.json":       &change.Document{},
	} {
		if err := schema(filepath.Join(dir, name), of); err != nil {
			return err
		}
	}
	return nil
}

// schema writes the JSON Schema of a document, with the comments of the Go types as descriptions.
func schema(path string, of any) error {
	r := &jsonschema.Reflector{AllowAdditionalProperties: true} // documents only grow: a reader ignores what it does not know
	for _, room := range []string{"verify/report", "plugin/change", "plugin/route"} {
		if err := r.AddGoComments("github.com/mesh-split/mesh-split", "./"+room); err != nil {
			return err
		}
	}
	data, err := json.MarshalIndent(r.Reflect(of), "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}
