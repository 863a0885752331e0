//go:build !unix

package load

import "net"

const peekWorks = false

// pending cannot look without waiting here.
func pending(net.Conn, *wire) bool { return false }
