package load

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"
)

// dial begins to connect.
func (s *socket) dial() {
	if s.state == pausing && s.failed > 0 {
		s.loop.pausing--
	}
	if s.over() {
		s.gone()
		return
	}
	s.place = s.dialTo()
	s.state, s.until = dialling, s.dialed+s.x.plan.DialTimeout
	s.generation++
	if err := s.connect(); err != nil {
		s.dialFailed(err)
	}
}

// connect opens a socket, begins to connect it and registers it.
func (s *socket) connect() error {
	if s.place.err != nil {
		return s.place.err
	}
	to, err := netip.ParseAddrPort(s.place.dial)
	if err != nil {
		return err
	}
	family, address := sockaddr(to)
	s.fd, err = syscall.Socket(family, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		s.fd = -1
		return fmt.Errorf("socket: %w", err)
	}
	_ = syscall.SetsockoptInt(s.fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
	if err := syscall.Connect(s.fd, address); err != nil && err != syscall.EINPROGRESS && err != syscall.EINTR {
		return fmt.Errorf("dial tcp %s: connect: %w", s.place.dial, err)
	}
	// Registered only now: a socket that is not connecting yet would report a hang-up.
	if err := syscall.EpollCtl(s.loop.set, syscall.EPOLL_CTL_ADD, s.fd, &syscall.EpollEvent{Events: edges, Fd: s.index, Pad: s.generation}); err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	return nil
}

func sockaddr(to netip.AddrPort) (int, syscall.Sockaddr) {
	ip := to.Addr()
	if ip.Is4() || ip.Is4In6() {
		return syscall.AF_INET, &syscall.SockaddrInet4{Port: int(to.Port()), Addr: ip.Unmap().As4()}
	}
	six := &syscall.SockaddrInet6{Port: int(to.Port()), Addr: ip.As16()}
	if zone := ip.Zone(); zone != "" {
		if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
			six.ZoneId = uint32(n)
		} else if i, err := net.InterfaceByName(zone); err == nil {
			six.ZoneId = uint32(i.Index)
		}
	}
	return syscall.AF_INET6, six
}

// dialFailed counts the failure and pauses.
func (s *socket) dialFailed(err error) {
	s.shut()
	if !s.refused(DialError, s.place.explain(err)) {
		s.gone()
		return
	}
	s.redial()
	if s.place.named() {
		s.loop.resolving.Go(func() { s.x.places.resolve(s.x.dialing) })
	}
}

// redial dials, after a pause if there shall be one.
func (s *socket) redial() {
	if s.pause == 0 {
		s.dial()
		return
	}
	s.state, s.until = pausing, s.x.r.now()+s.pause
	s.loop.pausing++
}

// dialled looks how the connecting went.
func (s *socket) dialled(what uint32) {
	if what&(syscall.EPOLLOUT|syscall.EPOLLERR|syscall.EPOLLHUP) == 0 {
		return
	}
	code, err := syscall.GetsockoptInt(s.fd, syscall.SOL_SOCKET, syscall.SO_ERROR)
	if err == nil && code != 0 {
		err = syscall.Errno(code)
	}
	if err != nil {
		s.dialFailed(fmt.Errorf("dial tcp %s: connect: %w", s.place.dial, err))
		return
	}
	if err := s.introduce(); err != nil {
		s.dialFailed(err)
		return
	}
	s.hangup = what&syscall.EPOLLRDHUP != 0
	s.connected()
	s.free(s.x.r.now())
	if s.state == idle && what&syscall.EPOLLIN != 0 {
		s.idleRead() // it spoke first
	}
}

// introduce says who connects, if the plan wants that. A new socket's buffer takes so few octets at once.
func (s *socket) introduce() error {
	if s.x.plan.ProxyProtocol == 0 {
		return nil
	}
	to, err := netip.ParseAddrPort(s.place.dial)
	if err != nil {
		return err
	}
	local, err := syscall.Getsockname(s.fd)
	if err != nil {
		return err
	}
	var from netip.AddrPort
	switch a := local.(type) {
	case *syscall.SockaddrInet4:
		from = netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *syscall.SockaddrInet6:
		from = netip.AddrPortFrom(netip.AddrFrom16(a.Addr), uint16(a.Port))
	}
	header := appendProxyHeader(nil, s.x.plan.ProxyProtocol, from, to)
	if n, err := syscall.Write(s.fd, header); err != nil || n < len(header) {
		return fmt.Errorf("the proxy protocol's header was not sent: %d of %d octets, %w", n, len(header), err)
	}
	return nil
}
