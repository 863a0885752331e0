package verify

import (
	"bytes"
	"net/url"
	"strings"

	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/load"
)

// tokens are what a template may hold, each with what takes its place.
var tokens = map[string]load.SlotKind{"{uuid}": load.SlotUUID, "{n}": load.SlotNumber, "{hex}": load.SlotHex}

const varyHint = "write --vary header:NAME={uuid}, --vary query:NAME={n} or --vary body, with {uuid}, {n} or {hex}"

// template finds the tokens of texts and puts markers of the same length as what will stand there: where these land in the
// finished request, there are its slots.
type template struct {
	markers []string
	kinds   []load.SlotKind
}

// mark replaces the tokens of a text. escape is what happens to everything else.
func (m *template) mark(text string, escape func(string) string) (marked string, any bool) {
	var b strings.Builder
	for text != "" {
		at, token := len(text), ""
		for t := range tokens {
			if i := strings.Index(text, t); i >= 0 && i < at {
				at, token = i, t
			}
		}
		b.WriteString(escape(text[:at]))
		if token == "" {
			break
		}
		kind := tokens[token]
		marker := randomHex(kind.Len() / 2)
		m.markers, m.kinds = append(m.markers, marker), append(m.kinds, kind)
		b.WriteString(marker)
		text, any = text[at+len(token):], true
	}
	return b.String(), any
}

// slots finds the markers in the finished request.
func (m *template) slots(request []byte) []load.Slot {
	var slots []load.Slot
	for i, marker := range m.markers {
		slots = append(slots, load.Slot{At: bytes.Index(request, []byte(marker)), Kind: m.kinds[i]})
	}
	return slots
}

// vary applies Config.Vary to what a request is built from.
func (c *Config) vary(o *load.RequestOptions) (template, error) {
	var m template
	same := func(s string) string { return s }
	for i, term := range c.Vary {
		place, text, _ := strings.Cut(term, "=")
		where, name, _ := strings.Cut(place, ":")
		some := false
		switch {
		case where == "header" && name != "":
			text, some = m.mark(text, same)
			o.Header = append(o.Header, name+": "+text)
		case where == "query" && name != "":
			text, some = m.mark(text, url.QueryEscape)
			separator := "?"
			if strings.Contains(o.Path, "?") {
				separator = "&"
			}
			o.Path += separator + url.QueryEscape(name) + "=" + text
		case term == "body":
			var body string
			body, some = m.mark(string(o.Body), same)
			o.Body = []byte(body)
		default:
			return m, fault.Usagef(varyHint, "--vary number %d names no place", i+1) // not shown: headers hold secrets
		}
		if !some {
			return m, fault.Usagef(varyHint, "--vary number %d, for %s, holds nothing that varies", i+1, where)
		}
	}
	return m, nil
}
