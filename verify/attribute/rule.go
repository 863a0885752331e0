package attribute

import (
	"regexp"
	"strings"

	"github.com/mesh-split/mesh-split/verify/fault"
)

// DefaultHeader is the header that names the version when no rule is given.
const DefaultHeader = "x-app-version"

// Kind is where a rule looks.
type Kind uint8

// The kinds.
const (
	Header  Kind = iota // a field of the final head
	Status              // the three digits of the status code
	Content             // the body, by a regular expression
	JSON                // the body, by a JSON pointer
)

// Rule says where a reply names its version. The zero Rule is header:x-app-version.
type Rule struct {
	kind    Kind
	name    string         // header: lower case; empty means DefaultHeader
	text    string         // as written, for content and JSON
	pattern *regexp.Regexp // content
	tokens  []string       // JSON: the unescaped reference tokens
}

// ParseRule reads "header:NAME", "status", "body:/RE/" (RE2; group 1 or else the whole match) or "json:/POINTER" (RFC
// 6901). Errors are usage errors.
func ParseRule(text string) (Rule, error) {
	const hint = "write --identify header:NAME, status, body:/RE/ or json:/POINTER"
	kind, value, _ := strings.Cut(text, ":")
	switch kind {
	case "header":
		if value == "" || strings.IndexFunc(value, func(c rune) bool { return !isToken(c) }) >= 0 {
			return Rule{}, fault.Usagef(hint, "identify %q: %q is not a header name", text, value)
		}
		return Rule{name: strings.ToLower(value)}, nil
	case "status":
		if text != "status" {
			return Rule{}, fault.Usagef(hint, "identify %q: status takes no argument", text)
		}
		return Rule{kind: Status}, nil
	case "body":
		if len(value) < 3 || value[0] != '/' || value[len(value)-1] != '/' {
			return Rule{}, fault.Usagef(hint, "identify %q: the expression is not between slashes", text)
		}
		pattern, err := regexp.Compile(value[1 : len(value)-1])
		if err != nil {
			return Rule{}, fault.Usagef(hint, "identify %q: %w", text, err)
		}
		if pattern.NumSubexp() > 1 {
			return Rule{}, fault.Usagef("write (?:...) for the others", "identify %q: more than one group", text)
		}
		return Rule{kind: Content, text: value, pattern: pattern}, nil
	case "json":
		tokens, ok := parsePointer(value)
		if !ok {
			return Rule{}, fault.Usagef(hint, "identify %q: %q is not a JSON pointer (RFC 6901)", text, value)
		}
		return Rule{kind: JSON, text: value, tokens: tokens}, nil
	}
	return Rule{}, fault.Usagef(hint, "identify %q: unknown kind %q", text, kind)
}

// Kind is where the rule looks.
func (r Rule) Kind() Kind { return r.kind }

// Header is the name of the header, in lower case; empty for other kinds.
func (r Rule) Header() string {
	switch {
	case r.kind != Header:
		return ""
	case r.name == "":
		return DefaultHeader
	}
	return r.name
}

// NeedsBody says whether the rule looks into the body, which a reply to HEAD does not have.
func (r Rule) NeedsBody() bool { return r.kind == Content || r.kind == JSON }

// String is the form ParseRule reads.
func (r Rule) String() string {
	switch r.kind {
	case Status:
		return "status"
	case Content:
		return "body:" + r.text
	case JSON:
		return "json:" + r.text
	}
	return "header:" + r.Header()
}

// Set and Type make *Rule a flag value.
func (r *Rule) Set(text string) error {
	parsed, err := ParseRule(text)
	if err == nil {
		*r = parsed
	}
	return err
}

// Type names the value in help texts.
func (r *Rule) Type() string { return "RULE" }

// MarshalText gives the form of String.
func (r Rule) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the form of String.
func (r *Rule) UnmarshalText(text []byte) error { return r.Set(string(text)) }

// isToken says whether c may stand in a header name: tchar of RFC 9110, 5.6.2.
func isToken(c rune) bool {
	return c < 0x80 && (c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.ContainsRune("!#$%&'*+-.^_`|~", c))
}

// parsePointer splits and unescapes a JSON pointer: "" is the whole document, "~1" a slash, "~0" a tilde.
func parsePointer(s string) ([]string, bool) {
	if s == "" {
		return nil, true
	}
	if s[0] != '/' {
		return nil, false
	}
	tokens := strings.Split(s[1:], "/")
	for i, t := range tokens {
		for j := 0; j < len(t); j++ {
			if t[j] == '~' && (j+1 == len(t) || t[j+1] != '0' && t[j+1] != '1') {
				return nil, false
			}
		}
		tokens[i] = strings.ReplaceAll(strings.ReplaceAll(t, "~1", "/"), "~0", "~")
	}
	return tokens, true
}
