package route

import (
	"fmt"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"
)

// diffContext is how many unchanged lines a diff shows around a change, as diff -u does.
const diffContext = 3

// Diff is a unified diff of the object's YAML, its header naming context, namespace and object. It shows the weight lines;
// managed fields, status and the history are left out. Empty when there is nothing to do.
func (p *Plan) Diff(context string) string {
	after, err := Apply(p.Object, p.Ops)
	if p.Nothing() || err != nil {
		return ""
	}
	old, new := yamlLines(p.Object), yamlLines(after)
	name := strings.ToLower(str(p.Object, "kind")) + "/" + objectName(p.Object)
	head := printable(strings.TrimSpace(context + " " + namespace(p.Object) + " " + name))
	return fmt.Sprintf("--- %s (resourceVersion %s)\n+++ %s (planned)\n", head, printable(str(p.Object, "metadata", "resourceVersion")), head) +
		hunks(pair(old, new))
}

func yamlLines(o Object) []string {
	shown := Object{"apiVersion": o["apiVersion"], "kind": o["kind"], "spec": o["spec"],
		"metadata": map[string]any{"name": objectName(o), "namespace": namespace(o)}}
	b, err := yaml.Marshal(shown)
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

type diffLine struct {
	mark byte // ' ', '-' or '+'
	text string
}

// pair walks two texts that differ in weight lines only, as all our plans do: no search for a common subsequence, and so
// no surprise, is needed.
func pair(old, new []string) []diffLine {
	weight := func(s string) bool { return strings.HasPrefix(strings.TrimLeft(s, " -"), "weight:") }
	var out []diffLine
	for len(old) > 0 || len(new) > 0 {
		switch {
		case len(old) > 0 && len(new) > 0 && old[0] == new[0]:
			out = append(out, diffLine{' ', old[0]})
			old, new = old[1:], new[1:]
		case len(old) > 0 && (weight(old[0]) || len(new) == 0 || !weight(new[0])):
			out = append(out, diffLine{'-', old[0]})
			old = old[1:]
			if len(new) > 0 && weight(new[0]) && (len(old) == 0 || old[0] != new[0]) {
				out = append(out, diffLine{'+', new[0]})
				new = new[1:]
			}
		default:
			out = append(out, diffLine{'+', new[0]})
			new = new[1:]
		}
	}
	return out
}

// hunks prints the changed lines with their surroundings and line numbers.
func hunks(lines []diffLine) string {
	near := make([]bool, len(lines))
	for i, l := range lines {
		if l.mark != ' ' {
			for j := max(0, i-diffContext); j <= min(len(lines)-1, i+diffContext); j++ {
				near[j] = true
			}
		}
	}
	var b strings.Builder
	oldLine, newLine := 1, 1
	for i := 0; i < len(lines); {
		end := i
		for end < len(lines) && near[end] == near[i] {
			end++
		}
		oldCount, newCount := 0, 0
		for _, l := range lines[i:end] {
			if l.mark != '+' {
				oldCount++
			}
			if l.mark != '-' {
				newCount++
			}
		}
		if near[i] {
			fmt.Fprintf(&b, "@@ -%d,%d +%d,%d @@\n", oldLine, oldCount, newLine, newCount)
			for _, l := range lines[i:end] {
				b.WriteString(string(l.mark) + safe(l.text) + "\n")
			}
		}
		oldLine, newLine, i = oldLine+oldCount, newLine+newCount, end
	}
	return b.String()
}

// safe is a line of YAML for a terminal. YAML escapes control characters itself; this holds even where it would not.
func safe(line string) string {
	if line == printable(line) {
		return line
	}
	return strings.Trim(strconv.Quote(line), `"`)
}

// Lines say what happens to each destination, in the order of the plan: "v2 10 % → 30 % (30 of 100)". With several entries
// each line begins with its slot.
func (p *Plan) Lines() []string {
	var out []string
	for _, c := range p.Changes {
		before, after, weights, sum := c.Entry.Shares(), c.Shares(), c.Weights(), c.Sum()
		for i, d := range c.Entry.Destinations {
			line := d.Short + " "
			if len(p.Changes) > 1 {
				line = c.Entry.Slot() + " " + line
			}
			was, is := "no share", "no share"
			if before != nil {
				was = percent(before[i]) + " %"
			}
			if after != nil {
				is = percent(after[i]) + " %"
			}
			if was != is {
				line += was + " → "
			}
			out = append(out, line+is+fmt.Sprintf(" (%d of %d)", weights[i], sum))
		}
	}
	return out
}
