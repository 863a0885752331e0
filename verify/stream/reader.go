package stream

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/mesh-split/mesh-split/verify/fault"
)

// Source is one stream to read. Closing it ends a pending read, where the system can.
type Source struct {
	Name string // of the file, for messages
	io.ReadCloser
}

// maxLine bounds a line; the final one holds the evidence of every connection.
const maxLine = 64 << 20

// Reader reads and checks the lines of one worker.
type Reader struct {
	name   string
	lines  *bufio.Scanner
	number int
	last   *Line
}

// NewReader reads from r; name is for messages.
func NewReader(name string, r io.Reader) *Reader {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	lines.Split(wholeLines)
	return &Reader{name: name, lines: lines}
}

// wholeLines gives lines without their ends. A last line without one was cut while it was written, and is no line.
func wholeLines(data []byte, atEOF bool) (int, []byte, error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF {
		return len(data), nil, nil
	}
	return 0, nil, nil
}

// Next gives the next line, io.EOF behind the last one, and an error for what is no stream. Whether the stream was whole
// is seen by the last line: it is the final one.
func (r *Reader) Next() (*Line, error) {
	for r.lines.Scan() {
		r.number++
		octets := bytes.TrimSpace(r.lines.Bytes())
		if len(octets) == 0 {
			continue
		}
		l := new(Line)
		err := json.Unmarshal(octets, l)
		if err != nil {
			// A line of another version may have other types in other places: its version is what matters.
			var head struct {
				Stream string `json:"stream"`
			}
			if json.Unmarshal(octets, &head) == nil && head.Stream != Format {
				l, err = &Line{Stream: head.Stream}, nil
			}
		}
		if err == nil {
			err = l.check()
		}
		if err == nil && r.last != nil {
			err = l.follows(r.last)
		}
		if err != nil {
			return nil, fault.New(fault.Failed, "give the output of mesh-verify worker, of this version, as it was written", "%s: line %d: %w", r.name, r.number, err)
		}
		r.last = l
		return l, nil
	}
	if err := r.lines.Err(); err != nil {
		return nil, fault.New(fault.Failed, "give the output of mesh-verify worker", "reading %s: %w", r.name, err)
	}
	if r.last == nil {
		return nil, fault.New(fault.Failed, "did the worker begin at all? its stderr says why not", "%s holds no line of a worker: %w", r.name, errEmpty)
	}
	return nil, io.EOF
}

var errEmpty = fmt.Errorf("the stream is empty")
