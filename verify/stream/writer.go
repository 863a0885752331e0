package stream

import (
	"encoding/json"
	"io"
)

// Writer writes a worker's lines from a goroutine of its own, so that whoever reads slowly, or not at all, holds up no
// load: a line is dropped while the one before is not written yet. Offer and Close are called by one goroutine.
type Writer struct {
	out    io.Writer
	lines  chan []byte
	broken chan struct{} // closed when writing has failed
	done   chan struct{}
	err    error // of the first write that failed; read after done
}

// NewWriter begins to write to out. Close must be called.
func NewWriter(out io.Writer) *Writer {
	w := &Writer{out: out, lines: make(chan []byte, 1), broken: make(chan struct{}), done: make(chan struct{})}
	go w.write()
	return w
}

func (w *Writer) write() {
	defer close(w.done)
	for line := range w.lines {
		if w.err != nil {
			continue
		}
		if _, w.err = w.out.Write(line); w.err != nil {
			close(w.broken)
		}
	}
}

// Broken is closed when nobody can read the stream any more.
func (w *Writer) Broken() <-chan struct{} { return w.broken }

// Offer writes a line, or drops it.
func (w *Writer) Offer(l *Line) error {
	octets, err := encode(l)
	if err != nil {
		return err
	}
	select {
	case w.lines <- octets:
	default:
	}
	return nil
}

// Close writes the final line, however long that takes, and ends the stream.
func (w *Writer) Close(l *Line) error {
	octets, err := encode(l)
	if err == nil {
		w.lines <- octets
	}
	close(w.lines)
	<-w.done
	if err == nil {
		err = w.err
	}
	return err
}

func encode(l *Line) ([]byte, error) {
	octets, err := json.Marshal(l)
	return append(octets, '\n'), err
}
