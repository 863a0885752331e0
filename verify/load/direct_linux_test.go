package load

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// What cannot leave without waiting is given back whole, so that the connection's own write sends it and nothing twice.
func TestDirectGivesBack(t *testing.T) {
	got := make(chan int, 1)
	s := serve(t, func(p *peer) {
		time.Sleep(50 * time.Millisecond)
		n, _ := io.Copy(io.Discard, p)
		got <- int(n)
	})
	conn, err := net.Dial("tcp", s.address())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.(*net.TCPConn).SetWriteBuffer(1)
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	request := make([]byte, inlineWrite)
	n, rest, err := newDirect(conn).exchange(request, make([]byte, 10))
	if n != 0 || len(rest) == 0 || len(rest) == len(request) || err != nil {
		t.Fatalf("%d octets came, %d of %d did not leave, %v", n, len(rest), len(request), err)
	}
	_ = conn.Close()
	if came, sent := <-got, len(request)-len(rest); came != sent {
		t.Errorf("%d octets were said to have left, %d came", sent, came)
	}
}

// A deadline that passed before the request left says so: nothing was sent, and all of it is given back.
func TestDirectTooLate(t *testing.T) {
	s := serve(t, func(p *peer) { p.next() })
	conn, err := net.Dial("tcp", s.address())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(past)
	request := []byte("GET / HTTP/1.1\r\n\r\n")
	n, rest, err := newDirect(conn).exchange(request, make([]byte, 10))
	if n != 0 || len(rest) != len(request) || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%d octets came, %d of %d did not leave, %v", n, len(rest), len(request), err)
	}
}
