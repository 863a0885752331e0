package fence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sort"
	"strings"
)

// Ban maps what an import path must not begin with to the reason, which a failure prints.
type Ban map[string]string

// TB is the part of testing.TB that Check uses.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
}

// Systems are the operating systems that releases are built for.
var Systems = []string{"linux", "darwin", "windows"}

// Check fails t for each ban that a package of the pattern breaks, directly or through others, on any of Systems. The
// pattern is relative to the test's folder. A pattern that matches nothing fails too: a fence around nothing holds nothing.
func Check(t TB, pattern string, bans ...Ban) {
	t.Helper()
	said := map[string]bool{} // most chains are the same on every system
	for _, system := range Systems {
		graph, roots, err := imports(system, pattern)
		if err != nil {
			t.Errorf("fence of %s on %s: %v", pattern, system, err)
			return
		}
		for _, ban := range bans {
			for _, breach := range breaches(graph, roots, ban) {
				if !said[breach] {
					said[breach] = true
					t.Errorf("on %s, %s", system, breach)
				}
			}
		}
	}
}

// Apart fails t where one of the packages that the patterns match imports another, directly or through others, on any of
// Systems. A fence between fewer than two fails too.
func Apart(t TB, reason string, patterns ...string) {
	t.Helper()
	said := map[string]bool{}
	for _, system := range Systems {
		graph, roots, err := imports(system, patterns...)
		if err == nil && len(roots) < 2 {
			err = fmt.Errorf("only %v matches", roots)
		}
		if err != nil {
			t.Errorf("fence between %v on %s: %v", patterns, system, err)
			return
		}
		for _, root := range roots {
			others := Ban{}
			for _, other := range roots {
				if other != root {
					others[other] = reason
				}
			}
			for _, breach := range breaches(graph, []string{root}, others) {
				if !said[breach] {
					said[breach] = true
					t.Errorf("on %s, %s", system, breach)
				}
			}
		}
	}
}

// imports asks the go tool for the import graph of patterns and for the packages that they match.
func imports(system string, patterns ...string) (graph map[string][]string, roots []string, err error) {
	command := exec.Command("go", append([]string{"list", "-deps", "-json=ImportPath,Imports,DepOnly"}, patterns...)...)
	command.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		return nil, nil, fmt.Errorf("go list: %w\n%s", err, stderr.Bytes())
	}
	graph = map[string][]string{}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath string
			Imports    []string
			DepOnly    bool
		}
		if err := decoder.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			return nil, nil, fmt.Errorf("reading what go list says: %w", err)
		}
		graph[p.ImportPath] = p.Imports
		if !p.DepOnly {
			roots = append(roots, p.ImportPath)
		}
	}
	if len(roots) == 0 {
		return nil, nil, errors.New("no package matches")
	}
	return graph, roots, nil
}

// breaches names, for each ban, the shortest chain from a root to a banned package. The nearest one is enough: what lies
// behind it goes when it goes.
func breaches(graph map[string][]string, roots []string, ban Ban) []string {
	var out []string
	for prefix, reason := range ban {
		if chain := shortest(graph, roots, prefix); chain != nil {
			out = append(out, fmt.Sprintf("%s is banned (%s):\n\t%s", prefix, reason, strings.Join(chain, "\n\timports ")))
		}
	}
	sort.Strings(out)
	return out
}

// shortest is a breadth-first search from all roots at once; nil if nothing with the prefix is reached.
func shortest(graph map[string][]string, roots []string, prefix string) []string {
	from := map[string]string{}
	queue := append([]string(nil), roots...)
	for _, root := range roots {
		from[root] = ""
	}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		if from[at] != "" && strings.HasPrefix(at, prefix) { // a root is inside the fence, whatever its name
			var chain []string
			for ; at != ""; at = from[at] {
				chain = append([]string{at}, chain...)
			}
			return chain
		}
		for _, next := range graph[at] {
			if _, seen := from[next]; !seen {
				from[next] = at
				queue = append(queue, next)
			}
		}
	}
	return nil
}
