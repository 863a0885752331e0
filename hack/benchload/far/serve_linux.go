package far

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"syscall"
	"time"
)

// kind says what is spoken on a descriptor.
type kind uint8

const (
	plain kind = iota
	secure
	h2
	control
	kinds
)

// loop is the whole far side: one thread, one epoll set.
type loop struct {
	set      int
	conns    []*conn // by descriptor
	buf      []byte
	began    time.Time
	settings Settings
	count    Reading
	random   *rand.PCG
	limit    uint64    // a draw below is v2
	replies  [2][]byte // of v1 and v2
	blocks   [2][]byte // the same as header blocks of HTTP/2
	later    [2][]owed // replies that wait for their time, in that order, by version
	tls      *tls.Config
	secrets  secrets
	commands []byte // an unfinished line of control
}

// conn is one descriptor.
type conn struct {
	fd       int
	kind     kind
	listener bool
	closed   bool
	rest     []byte // of an unfinished request, record or frame
	out      []byte // what the socket did not take
	records  *records
	streams  *streams
}

// owed is a reply that waits.
type owed struct {
	c  *conn
	at time.Duration
}

// Serve is the process: it listens, says where on standard output, and answers until standard input ends.
func Serve(ca string) error {
	runtime.LockOSThread()
	certificate, err := authority(ca)
	if err != nil {
		return err
	}
	l := &loop{buf: make([]byte, 256<<10), began: time.Now(), random: rand.NewPCG(1, 2)}
	l.tls = l.secrets.config(certificate)
	l.apply(Settings{})
	if l.set, err = syscall.EpollCreate1(syscall.EPOLL_CLOEXEC); err != nil {
		return err
	}
	where := Addresses{CA: ca}
	for k, to := range []*string{plain: &where.Plain, secure: &where.TLS, h2: &where.H2} {
		if *to, err = l.listen(kind(k)); err != nil {
			return err
		}
	}
	if err := l.add(&conn{fd: 0, kind: control}, syscall.EPOLLIN); err != nil {
		return err
	}
	l.say(where)
	return l.run()
}

func (l *loop) listen(k kind) (string, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return "", err
	}
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return "", err
	}
	if err := syscall.Listen(fd, 1024); err != nil {
		return "", err
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		return "", err
	}
	err = l.add(&conn{fd: fd, kind: k, listener: true}, syscall.EPOLLIN)
	return fmt.Sprintf("127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port), err
}

func (l *loop) add(c *conn, events uint32) error {
	for len(l.conns) <= c.fd {
		l.conns = append(l.conns, nil)
	}
	l.conns[c.fd] = c
	return syscall.EpollCtl(l.set, syscall.EPOLL_CTL_ADD, c.fd, &syscall.EpollEvent{Events: events, Fd: int32(c.fd)})
}

// apply changes the settings and begins to count anew.
func (l *loop) apply(s Settings) {
	if s.StatusV2 == 0 {
		s.StatusV2 = 200
	}
	l.settings, l.limit = s, uint64(s.Share*(1<<53))
	l.replies = [2][]byte{reply(200, "v1"), reply(s.StatusV2, "v2")}
	l.blocks = [2][]byte{block(200, "v1"), block(s.StatusV2, "v2")}
	l.count = Reading{}
}

// replySize is the length of every reply over HTTP/1.1, in octets.
const replySize = 190

func reply(status int, version string) []byte {
	head := fmt.Sprintf("HTTP/1.1 %d OK\r\nserver: istio-envoy\r\ncontent-type: text/plain\r\nx-app-version: %s\r\n"+
		"x-envoy-upstream-service-time: 0\r\ncontent-length: ", status, version)
	body := replySize - len(head) - len("00\r\n\r\n")
	return fmt.Appendf(nil, "%s%02d\r\n\r\n%s", head, body, bytes.Repeat([]byte{'.'}, body))
}

// command serves what came through the pipe: an empty line asks for a reading, any other is new settings.
func (l *loop) command() bool {
	n, err := syscall.Read(0, l.buf)
	if n <= 0 || err != nil {
		return false
	}
	l.commands = append(l.commands, l.buf[:n]...)
	for {
		line, rest, whole := bytes.Cut(l.commands, []byte{'\n'})
		if !whole {
			return true
		}
		if len(line) > 0 {
			var s Settings
			if err := json.Unmarshal(line, &s); err != nil {
				return false
			}
			l.apply(s)
		}
		l.commands = append([]byte(nil), rest...)
		l.count.Now, l.count.CPU = int64(l.now()), processorTime()
		l.say(&l.count)
	}
}

func (l *loop) say(v any) {
	_ = json.NewEncoder(os.Stdout).Encode(v)
}

func (l *loop) now() time.Duration { return time.Since(l.began) }

// processorTime is what this process has computed so far, user and system.
func processorTime() int64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return u.Utime.Nano() + u.Stime.Nano()
}
