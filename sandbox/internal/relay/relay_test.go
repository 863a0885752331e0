package relay

import (
	"bufio"
	"io"
	"net"
	"testing"
	"time"
)

// echo is a server that says back what it hears, and hello first; it tells of each end of a connection.
func echo(t *testing.T) (address string, ended <-chan struct{}) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	ends := make(chan struct{}, 16)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { conn.Close(); ends <- struct{}{} }()
				io.WriteString(conn, "hello\n")
				io.Copy(conn, conn)
			}()
		}
	}()
	return listener.Addr().String(), ends
}

func open(t *testing.T, upstream string) (*Relay, net.Conn, *bufio.Reader) {
	t.Helper()
	r, err := Listen("127.0.0.1:0", upstream)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	conn, err := net.Dial("tcp", r.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return r, conn, bufio.NewReader(conn)
}

func wantLine(t *testing.T, conn net.Conn, reader *bufio.Reader, want string) {
	t.Helper()
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	if got, err := reader.ReadString('\n'); got != want+"\n" {
		t.Fatalf("read %q, %v; want %q", got, err, want)
	}
}

// wantSilence fails if anything arrives, an end included.
func wantSilence(t *testing.T, conn net.Conn, reader *bufio.Reader) {
	t.Helper()
	conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	b, err := reader.ReadByte()
	if timeout, ok := err.(net.Error); !ok || !timeout.Timeout() {
		t.Fatalf("read %q, %v; want nothing", b, err)
	}
}

func TestHoldDelaysAndLosesNothing(t *testing.T) {
	upstream, _ := echo(t)
	r, conn, reader := open(t, upstream)
	wantLine(t, conn, reader, "hello")
	r.Hold()
	r.Hold() // twice is once
	io.WriteString(conn, "first\nsecond\n")
	wantSilence(t, conn, reader)
	if !r.Held() {
		t.Error("not held")
	}
	r.Release()
	wantLine(t, conn, reader, "first")
	wantLine(t, conn, reader, "second")
}

// A connection that comes during a hold is accepted and waits; it is not refused, which its maker would notice.
func TestHoldOfNewConnections(t *testing.T) {
	upstream, _ := echo(t)
	r, _, _ := open(t, upstream)
	r.Hold()
	conn, err := net.Dial("tcp", r.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	reader := bufio.NewReader(conn)
	wantSilence(t, conn, reader)
	r.Release()
	wantLine(t, conn, reader, "hello")
}

// The end of the upstream is not passed on during a hold: the other side would connect anew, and be told everything.
func TestHoldKeepsTheEndBack(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	accepted := make(chan net.Conn, 1)
	go func() {
		if conn, err := listener.Accept(); err == nil {
			accepted <- conn
		}
	}()
	r, conn, reader := open(t, listener.Addr().String())
	up := <-accepted
	r.Hold()
	up.Close()
	wantSilence(t, conn, reader)
	r.Release()
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := reader.ReadByte(); err != io.EOF {
		t.Errorf("after the release: %v, want the end", err)
	}
}

func TestEndsArePassedOn(t *testing.T) {
	upstream, ended := echo(t)
	_, conn, reader := open(t, upstream)
	wantLine(t, conn, reader, "hello")
	conn.Close()
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Error("the upstream did not hear of the end")
	}
}

// An upstream that is not there ends the connection; the gateway then tries again, as with istiod itself.
func TestNoUpstream(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	_, conn, reader := open(t, listener.Addr().String())
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := reader.ReadByte(); err == nil {
		t.Error("read something from nobody")
	}
}

// Close returns although a hold is in force, and its connections have ended then.
func TestCloseDuringHold(t *testing.T) {
	upstream, _ := echo(t)
	r, conn, reader := open(t, upstream)
	wantLine(t, conn, reader, "hello")
	r.Hold()
	io.WriteString(conn, "lost\n")
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := reader.ReadByte(); err == nil {
		t.Error("a closed relay relays")
	}
}
