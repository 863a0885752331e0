package meshsplit_test

import (
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/mattn/go-shellwords"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/yaml"

	"github.com/mesh-split/mesh-split/plugin"
	"github.com/mesh-split/mesh-split/verify/cli"
)

var (
	// A variable of the service that runs the example stands for a share or a split.
	variable = regexp.MustCompile(`\$\{\{[^}]*\}\}|\{\{[^}]*\}\}|\$[A-Z]+`)
	fenced   = regexp.MustCompile("(?s)```yaml\n(.*?)```")
	// What a person types, in an indented block of a page.
	typed = regexp.MustCompile(`(?m)^    (?:\$ )?((?:kubectl mesh-split|mesh-verify) [^|>#\n]*)`)
)

// An example with a flag that does not exist is found by a pipeline at night.
func TestPipelinesInDocsParse(t *testing.T) {
	count := 0
	for _, block := range fenced.FindAllStringSubmatch(read(t, "docs/ci.md"), -1) {
		var document any
		if err := yaml.UnmarshalStrict([]byte(block[1]), &document); err != nil {
			t.Errorf("%v in\n%s", err, block[1])
			continue
		}
		for _, command := range commands(document) {
			count++
			parses(t, "docs/ci.md", command)
		}
	}
	if count != 5 { // set; wait and verify; mesh-verify twice
		t.Errorf("found %d commands in the pipelines of docs/ci.md, want 5", count)
	}
}

func TestCommandsInDocsParse(t *testing.T) {
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, page := range append(pages, "README.md") {
		for _, command := range typed.FindAllStringSubmatch(read(t, page), -1) {
			count++
			words, err := shellwords.Parse(command[1])
			if err != nil {
				t.Errorf("%s: %q: %v", page, command[1], err)
				continue
			}
			parses(t, page, words)
		}
	}
	if count < 12 {
		t.Errorf("found %d commands, want 12 or more: is this test looking in the right place?", count)
	}
}

// A flag that the page on load does not name might as well not be there.
func TestLoadPageNamesEveryFlag(t *testing.T) {
	page := read(t, "docs/load.md")
	root := cli.NewCommand(cli.Streams{Out: io.Discard, Err: io.Discard})
	for _, command := range append(root.Commands(), root) {
		if command.Name() != "load" && command != root {
			continue
		}
		command.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Name != "help" && !regexp.MustCompile("[`/]--"+f.Name+"[` ,]").MatchString(page) {
				t.Errorf("docs/load.md does not explain --%s", f.Name)
			}
		})
	}
}

// commands are our programs' command lines in a document: lines of scripts, or command and args of a container.
func commands(node any) (found [][]string) {
	switch node := node.(type) {
	case map[string]any:
		if command := texts(node["command"]); len(command) > 0 && command[0] == "mesh-verify" {
			return [][]string{append(command, texts(node["args"])...)}
		}
		for _, child := range node {
			found = append(found, commands(child)...)
		}
	case []any:
		for _, child := range node {
			found = append(found, commands(child)...)
		}
	case string:
		for line := range strings.Lines(variable.ReplaceAllString(node, "30")) {
			line, _, _ = strings.Cut(line, " > ")
			if strings.HasPrefix(line, "kubectl mesh-split ") || strings.HasPrefix(line, "mesh-verify ") {
				if words, err := shellwords.Parse(line); err == nil { // a line that is none is missed in the count
					found = append(found, words)
				}
			}
		}
	}
	return found
}

func texts(node any) (out []string) {
	list, _ := node.([]any)
	for _, item := range list {
		if text, ok := item.(string); ok {
			out = append(out, text)
		}
	}
	return out
}

// parses has the real command tree read the words, up to where it would begin to work.
func parses(t *testing.T, page string, words []string) {
	t.Helper()
	var root *cobra.Command
	if words[0] == "kubectl" {
		root, words = plugin.NewCmdRoot(genericiooptions.NewTestIOStreamsDiscard()), words[2:]
	} else {
		root, words = cli.NewCommand(cli.Streams{Out: io.Discard, Err: io.Discard}), words[1:]
	}
	for i, word := range words {
		if name, _, found := strings.Cut(word, "="); found && strings.HasSuffix(name, "--expect") {
			word = variable.ReplaceAllString(word, "v1=70,v2=30")
		}
		words[i] = word
	}
	command, rest, err := root.Find(words)
	if err == nil {
		err = command.ParseFlags(rest)
	}
	if err == nil {
		err = command.ValidateArgs(command.Flags().Args())
	}
	if err == nil && command == root && root.Name() != "mesh-verify" {
		t.Errorf("%s: %q names no command", page, words)
	}
	if err != nil {
		t.Errorf("%s: %q: %v", page, words, err)
	}
}
