package cli

import (
	"bytes"
	"slices"
	"strings"

	"github.com/mesh-split/mesh-split/verify/fault"
)

// requestFile is a request as people keep it in files: a request line, fields, an empty line, the content to the end of the
// file, octet by octet. Lines end in LF or CRLF.
type requestFile struct {
	method, path, host string
	header             []string
	body               []byte
}

// counted are fields that a recorded request has and that are made anew, or left out, for each one sent.
var counted = []string{"content-length", "connection", "keep-alive", "proxy-connection", "accept-encoding", "te"}

func (f *LoadFlags) readRequestFile(name string) (*requestFile, error) {
	const hint = "write it as GET /PATH HTTP/1.1, then fields, an empty line and the content; the method alone is -X"
	data, err := f.read(name)
	if err != nil {
		return nil, fault.Usagef(hint, "reading --request: %w", err)
	}
	r := &requestFile{}
	rest := data
	for number := 1; ; number++ {
		line, after, found := bytes.Cut(rest, []byte("\n"))
		text := strings.TrimSuffix(string(line), "\r")
		rest = after
		switch {
		case number == 1:
			words := strings.Fields(text)
			if len(words) < 2 || len(words) > 3 || !strings.HasPrefix(words[1], "/") || len(words) == 3 && !strings.HasPrefix(words[2], "HTTP/") {
				return nil, fault.Usagef(hint, "--request %s, line 1 is not METHOD /PATH HTTP/1.1", name)
			}
			r.method, r.path = words[0], words[1]
		case text == "":
			if len(rest) > 0 {
				r.body = rest
			}
			return r, nil
		default:
			field, value, ok := strings.Cut(text, ":")
			lower := strings.ToLower(strings.TrimSpace(field))
			switch {
			case !ok:
				return nil, fault.Usagef(hint, "--request %s, line %d has no colon", name, number) // not shown: it may be a secret
			case lower == "host" && r.host != "":
				return nil, fault.Usagef("leave one Host line, or say the host with --host", "--request %s, line %d names the host a second time", name, number)
			case lower == "host":
				r.host = strings.TrimSpace(value)
			case lower == "transfer-encoding":
				return nil, fault.Usagef("leave the field out, and let the file hold the content itself, without the lengths of its chunks",
					"--request %s, line %d: the content is in chunks, which would be sent as content", name, number)
			case !slices.Contains(counted, lower):
				r.header = append(r.header, text)
			}
		}
		if !found {
			return r, nil
		}
	}
}
