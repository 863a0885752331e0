package load

import (
	"io"
	"net"
	"syscall"
)

// direct sends a request and takes the first octets of its reply at the socket itself. A net.Conn asks the socket
// before it waits, and after a request nothing is there yet: a third call for each, 5 % of its time. Here the request leaves
// once the waiting has begun, so that no news of the socket is missed in between.
//
// News that came before is forgotten, and that may be the end of the stream. The write then fails or draws a reset, which is
// news again; only a far side that reads on without an answer stays silent. So the wait is cut after a glance, and goes on
// by the connection's own reading, which looks first.
type direct struct {
	raw     syscall.RawConn
	call    func(fd uintptr) bool // step, bound once: no allocation for each request
	request []byte                // what of it has not left
	into    []byte
	begun   bool
	n       int
	err     error
}

// newDirect is nil where this cannot be done.
func newDirect(conn net.Conn) *direct {
	socket, ok := conn.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return nil
	}
	d := &direct{raw: raw}
	d.call = d.step
	return d
}

// exchange sends a request and waits for octets. It gives how many came, and what of the request could not leave without
// waiting; with neither and no error the connection's own reading says what there is.
func (d *direct) exchange(request, into []byte) (n int, rest []byte, err error) {
	d.request, d.into, d.begun, d.n, d.err = request, into, false, 0, nil
	if err := d.raw.Read(d.call); err != nil {
		return 0, d.request, err
	}
	return d.n, d.request, d.err
}

// step is called before waiting and after each news; true ends it.
func (d *direct) step(fd uintptr) bool {
	if !d.begun {
		d.begun = true
		n, errno := sendTo(int(fd), d.request)
		if errno == 0 {
			d.request = d.request[n:]
		}
		return len(d.request) > 0
	}
	n, errno := receive(int(fd), d.into)
	switch {
	case errno == syscall.EAGAIN || errno == syscall.EINTR:
		return false
	case errno != 0:
		d.err = errno
	case n == 0:
		d.err = io.EOF
	}
	d.n = n
	return true
}
