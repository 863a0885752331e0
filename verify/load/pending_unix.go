//go:build unix

package load

import "syscall"

const peekWorks = true

// pending looks without waiting whether octets, or the end, lie in a connection's socket.
func pending(w *wire) bool {
	socket, ok := w.Conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return false
	}
	some := false
	_ = raw.Control(func(fd uintptr) {
		var one [1]byte
		_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		some = err != syscall.EAGAIN // 0 octets are the end of the stream
	})
	return some
}
