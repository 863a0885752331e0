package load

import (
	"io"
	"net"
	"time"
)

// glance is how long a reply is awaited the direct way before the socket is looked at without being told to. It is a choice: see
// direct.
const glance = 250 * time.Millisecond

// wire is a connection of TCP, alone or under TLS. Where there is a direct way, a request is held until its reply is read.
type wire struct {
	net.Conn
	direct  *direct // nil where what is written leaves at once
	holding bool    // what is written now is a request
	held    []byte  // of it, what has not left
	secure  bool
	ended   bool
}

func newWire(conn net.Conn, secure bool) *wire {
	return &wire{Conn: conn, direct: newDirect(conn), secure: secure}
}

func (w *wire) Write(b []byte) (int, error) {
	if !w.holding || w.direct == nil {
		return w.Conn.Write(b)
	}
	w.held = append(w.held, b...)
	return len(b), nil
}

// Read sends what is held first. If a deadline passes before that could leave, it is sent by the next Read.
func (w *wire) Read(b []byte) (n int, err error) {
	if len(w.held) > 0 {
		var rest []byte
		n, rest, err = w.direct.exchange(w.held, b)
		w.held = w.held[:copy(w.held, rest)]
		if err == nil {
			w.release()
		}
	}
	if n == 0 && err == nil {
		n, err = w.Conn.Read(b)
	}
	if err == io.EOF {
		w.ended = true
	}
	return n, err
}

// release sends what is held, because it cannot leave without waiting, or because TLS gave what it had read before. An error
// shows again when reading, behind whatever reply came first.
func (w *wire) release() {
	if len(w.held) > 0 {
		_, _ = w.Conn.Write(w.held)
		w.held = w.held[:0]
	}
}

// endedRaw says whether the stream ended below TLS without close_notify: crypto/tls reports that as a clean end too, but anyone on
// the way may have cut the reply (RFC 9112, 9.8).
func (w *wire) endedRaw() bool { return w.secure && w.ended }
