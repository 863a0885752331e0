package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mesh-split/mesh-split/verify/cli"
)

// What someone reads when the far side is no good: a status, words that name what is wrong, in time, in little memory. Every
// outcome by itself is tested in verify/load; this is the whole program.
func TestBadServers(t *testing.T) {
	head := "HTTP/1.1 200 OK\r\nx-app-version: v1\r\n"
	listen := func(handle func(net.Conn)) string { // one request on each connection
		return "http://" + raw(t, func(c net.Conn, _ int64) bool { handle(c); return false }) + "/"
	}
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(secure.Close)
	secure.Config.ErrorLog = nil
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + gone.Addr().String() + "/"
	gone.Close()
	for _, row := range []struct {
		name, url string
		code      int
		says      string
	}{
		{"answers nothing", listen(func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }), 1, "hint: it takes connections and does not answer: raise --reply-timeout"},
		{"drips", listen(func(c net.Conn) {
			for _, octet := range []byte(head + "content-length: 2\r\n\r\nok") {
				if _, err := c.Write([]byte{octet}); err != nil {
					return
				}
				time.Sleep(50 * time.Millisecond)
			}
		}), 1, "timeout"},
		{"never ends", listen(func(c net.Conn) {
			_, err := io.WriteString(c, head+"\r\n")
			for block := make([]byte, 64<<10); err == nil; {
				_, err = c.Write(block)
			}
		}), 3, "FAIL  v1 fails more than 5 %"},
		{"closes early", listen(func(c net.Conn) {}), 1, "hint: it ends connections without a reply: it may speak TLS (https://)"},
		{"closes inside the reply", listen(func(c net.Conn) { _, _ = io.WriteString(c, head+"content-length: 9\r\n\r\nhalf") }), 3, "truncated × "},
		{"sends a header of 1 GiB", listen(func(c net.Conn) {
			_, err := io.WriteString(c, head)
			line := []byte("x: " + strings.Repeat("y", 1000) + "\r\n")
			for sent := 0; err == nil && sent < 1<<30; sent += len(line) {
				_, err = c.Write(line)
			}
		}), 1, "too long"},
		{"speaks something else", listen(func(c net.Conn) { _, _ = io.WriteString(c, "SSH-2.0-OpenSSH_9.2\r\n") }), 1, "not HTTP"},
		{"speaks TLS", strings.Replace(secure.URL, "https", "http", 1), 4, "without a version"},
		{"speaks no TLS", strings.Replace(plain.URL, "http", "https", 1), 1, "hint: the port does not speak TLS: try http://"},
		{"has a certificate of its own", secure.URL, 1, "hint: give the authority with --ca"},
		{"is not there", nobody, 1, "refused"},
		{"has no name", "http://no.such.host.invalid/", 1, "resolving no.such.host.invalid"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			began := time.Now()
			code := cli.Main(context.Background(), []string{row.url, "--expect", "v1=100", "--rate", "200", "--connections", "4", "--max-requests", "40",
				"--max-time", "3s", "--reply-timeout", "300ms"}, cli.Streams{Out: &out, Err: &errs})
			took := time.Since(began)
			runtime.ReadMemStats(&after)
			text := out.String() + errs.String()
			if int(code) != row.code || !strings.Contains(text, row.says) {
				t.Errorf("status %d, want %d, with %q in\n%s", code, row.code, row.says, text)
			}
			if row.code == 1 && !strings.Contains(text, "hint: ") {
				t.Errorf("no hint in\n%s", text)
			}
			if took > 20*time.Second || after.HeapInuse > before.HeapInuse+(32<<20) {
				t.Errorf("took %v, heap from %d to %d", took, before.HeapInuse, after.HeapInuse)
			}
		})
	}
}
