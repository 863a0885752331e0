package load

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// appendProxyHeader writes what a load balancer says before the first octet of a connection: who connects, and to where. An
// HAProxy or Envoy listener that expects it answers nothing without it.
// https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt, sections 2.1 and 2.2
func appendProxyHeader(b []byte, version int, from, to netip.AddrPort) []byte {
	source, target := from.Addr().Unmap(), to.Addr().Unmap()
	four := source.Is4() && target.Is4()
	if version == 1 {
		family := "TCP6"
		if four {
			family = "TCP4"
		}
		return fmt.Appendf(b, "PROXY %s %s %s %d %d\r\n", family, source.WithZone(""), target.WithZone(""), from.Port(), to.Port())
	}
	b = append(b, "\r\n\r\n\x00\r\nQUIT\n"...)
	family := byte(0x21) // TCP over IPv6
	octets := append(append([]byte(nil), source.AsSlice()...), target.AsSlice()...)
	if four {
		family = 0x11
	} else {
		s, t := source.As16(), target.As16()
		octets = append(s[:], t[:]...)
	}
	b = append(b, 0x21, family)
	b = binary.BigEndian.AppendUint16(b, uint16(len(octets)+4))
	b = append(b, octets...)
	b = binary.BigEndian.AppendUint16(b, from.Port())
	return binary.BigEndian.AppendUint16(b, to.Port())
}
