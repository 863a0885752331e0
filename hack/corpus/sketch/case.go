package sketch

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Case is one case of the corpus.
type Case struct {
	ID      string           `json:"id"`
	About   string           `json:"about"`
	Objects []map[string]any `json:"objects"` // as the API server takes them; the order is the sketches'
	Facts   []string         `json:"facts"`   // sketches that are no objects
	Run     []Command        `json:"run"`
	Want    Want             `json:"want"`
}

// Command is one command line of a case, or what somebody else does meanwhile: then Verb is empty and Words tells it.
type Command struct {
	Verb      string   `json:"verb"`
	Namespace string   `json:"namespace"` // -n, which is not among the words
	Words     []string `json:"words"`     // after the verb
}

// Want is what must be true. Fields that a case does not speak of are empty.
type Want struct {
	Target       string   `json:"target"`
	Weights      []int64  `json:"weights"`
	Ops          []string `json:"ops"`
	OpsInclude   []string `json:"ops_include"`
	Error        string   `json:"error"`
	Mentions     []string `json:"mentions"`
	Governs      string   `json:"governs"`
	Warns        string   `json:"warns"`
	RouteConfig  string   `json:"envoy_route_config"`
	VirtualHost  string   `json:"envoy_virtual_host"`
	RouteName    string   `json:"envoy_route_name"`
	ConfigObject string   `json:"envoy_config_object"`
	ThenWeights  []int64  `json:"then_weights"`
	Then         string   `json:"then"`
	Owner        string   `json:"owner"`
	Requests     int      `json:"requests"`
	Second       string   `json:"second"`
	Live         []bool   `json:"live"`
	Last         *Failure `json:"last"`
	Alternative  *Failure `json:"alternative"`
}

// Failure is an error that must come, with so many writes.
type Failure struct {
	Error  string `json:"error"`
	Writes int    `json:"writes"`
}

// Parse reads the corpus. A field or a sketch that it does not know is an error: a case that is half read proves nothing.
func Parse(data []byte) ([]Case, error) {
	var file struct {
		Schema, Title, Note string
		Cases               []struct {
			ID, About string
			Objects   []string
			Run       string
			Want      Want
		}
	}
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&file); err != nil {
		return nil, fmt.Errorf("reading the corpus: %w", err)
	}
	if file.Schema != "mesh-split/cases/v1" {
		return nil, fmt.Errorf("reading the corpus: schema %q is not known", file.Schema)
	}
	var cases []Case
	for _, f := range file.Cases {
		c := Case{ID: f.ID, About: f.About, Want: f.Want}
		for _, text := range f.Objects {
			objects, fact, err := expand(text)
			if err != nil {
				return nil, fmt.Errorf("case %s: %w", f.ID, err)
			}
			c.Objects = append(c.Objects, objects...)
			if fact != "" {
				c.Facts = append(c.Facts, fact)
			}
		}
		for _, line := range strings.Split(f.Run, ";") {
			command, err := parseCommand(strings.TrimSpace(line))
			if err != nil {
				return nil, fmt.Errorf("case %s: %w", f.ID, err)
			}
			c.Run = append(c.Run, command)
		}
		cases = append(cases, c)
	}
	return cases, nil
}

// parseCommand takes a command line apart; single quotes keep a word together.
func parseCommand(line string) (Command, error) {
	c := Command{Namespace: "shop"}
	if strings.HasPrefix(line, "(") {
		c.Words = []string{strings.Trim(line, "()")}
		return c, nil
	}
	var words []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			words = append(words, part)
		} else {
			words = append(words, strings.Fields(part)...)
		}
	}
	if len(words) == 0 {
		return c, fmt.Errorf("an empty command")
	}
	c.Verb = words[0]
	for i := 1; i < len(words); i++ {
		if words[i] == "-n" && i+1 < len(words) {
			c.Namespace = words[i+1]
			i++
			continue
		}
		c.Words = append(c.Words, words[i])
	}
	return c, nil
}
