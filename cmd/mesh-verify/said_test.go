package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mesh-split/mesh-split/verify/cli"
)

// raw is a server that plays say on every request, and whose connections end when it gives false. n numbers the requests from 0.
func raw(t *testing.T, say func(c net.Conn, n int64) bool) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	var requests atomic.Int64
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				buf := make([]byte, 4096)
				for {
					if _, err := c.Read(buf); err != nil || !say(c, requests.Add(1)-1) {
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

// What is wrong with the far side is said on a line of its own, with its number; where nothing is, nothing more is said.
func TestSaid(t *testing.T) {
	reply := func(head string) string { return "HTTP/1.1 200 OK\r\n" + head + "content-length: 2\r\n\r\nok" }
	write := func(text string) func(net.Conn, int64) bool {
		return func(c net.Conn, _ int64) bool {
			_, err := io.WriteString(c, text)
			return err == nil
		}
	}
	healthy := raw(t, write(reply("x-app-version: v1\r\n")))
	_, port, _ := net.SplitHostPort(healthy)
	for _, row := range []struct {
		name, address string
		args          []string
		says          []string // one expression for each line with a note, or more
		not           string
	}{
		{"all is well", healthy, nil, nil, "note"},
		{"no labels, and nobody asked for any", raw(t, write(reply(""))), nil, []string{"50 requests in .*, 0 errors, 50 without a version"}, "note"},
		{"two labels", raw(t, write(reply("x-app-version: v1\r\nx-app-version: v2\r\n"))), nil, []string{"note  replies without one usable version: bad_label × 50\n"}, "whole reply"},
		{"half the labels", raw(t, func(c net.Conn, n int64) bool {
			return write(reply(map[int64]string{0: "x-app-version: v1\r\n"}[n%2]))(c, n)
		}), nil, []string{"note  replies without one usable version: no_label × 25\n"}, "whole reply"},
		{"half the replies never come", raw(t, func(c net.Conn, n int64) bool {
			if n%2 == 0 {
				return write(reply(""))(c, n)
			}
			time.Sleep(400 * time.Millisecond)
			return false
		}), []string{"--reply-timeout", "100ms"}, []string{"50 requests in .*, 25 errors, 50 without a version", "note  requests without a whole reply: timeout × 25\n"}, "usable"},
		{"no HTTP, now and then", raw(t, func(c net.Conn, n int64) bool {
			if n%10 == 9 {
				return write("SSH-2.0-OpenSSH_9.2\r\n")(c, n)
			}
			return write(reply(""))(c, n)
		}), nil, []string{`50 requests in .*, 5 errors`, `note  requests without a whole reply: malformed × 5 \(.*HTTP.*\)\n`}, "usable"},
		{"octets behind each reply", raw(t, write(reply("x-app-version: v1\r\n")+reply("x-app-version: v2\r\n"))), nil,
			[]string{`note  octets nobody asked for \((behind a reply|between requests) × \d+.*\): .*--peek`, `note  5\d connections were opened for 50 requests; lost: octets nobody asked for × \d+\n`}, ""},
		{"close after each reply", raw(t, func(c net.Conn, n int64) bool {
			write(reply("x-app-version: v1\r\nconnection: close\r\n"))(c, n)
			return false
		}), nil, []string{`note  5\d connections were opened for 50 requests; lost: closed by a reply × 50\n`}, "octets"},
		{"closed after each reply because we asked", raw(t, func(c net.Conn, n int64) bool {
			write(reply("x-app-version: v1\r\nconnection: close\r\n"))(c, n)
			return false
		}), []string{"--conn-requests", "1"}, nil, "note"},
		{"two ways to say the length", raw(t, func(c net.Conn, n int64) bool {
			return write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n")(c, n)
		}), nil, []string{`note  replies with Transfer-Encoding and Content-Length at once: 50\n`}, ""},
		{"asks for less", raw(t, write("HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\n\r\n")), []string{"--max-time", "1s"},
			[]string{`slowed down 1 times`, `note  first slowed down after .*, from 500 to 250 requests/s: status 429\n`, `note  replies other than 2xx: 429 × \d+`}, ""},
		{"a dead address beside a good one", "h:" + port, []string{"--resolve", "h:" + port + ":127.0.0.1,127.0.0.9"}, []string{
			`address +requests +v1 +errors +never sent\n`, `127\.0\.0\.9:\d+ +0 +– +0 +[1-9]\d*\n`,
			`note  never sent: dial_error × \d+ \(dial tcp 127\.0\.0\.9:\d+: connect: connection refused\)\n`}, "whole reply"},
	} {
		t.Run(row.name, func(t *testing.T) {
			url := "http://" + row.address + "/"
			var out, errs bytes.Buffer
			args := append([]string{"load", url, "--rate", "500", "--connections", "4", "--max-requests", "50", "--max-time", "5s"}, row.args...)
			if code := cli.Main(context.Background(), args, cli.Streams{Out: &out, Err: &errs}); code != 0 {
				t.Errorf("status %d: %s", code, errs.String())
			}
			text := regexp.MustCompile(`(?m)^  note  the load fell behind .*\n.*\n`).ReplaceAllString(out.String(), "") // on a busy machine
			for _, says := range row.says {
				if !regexp.MustCompile(says).MatchString(text) {
					t.Errorf("%q is not said in\n%s", says, text)
				}
			}
			if row.not != "" && strings.Contains(text, row.not) {
				t.Errorf("%q is said in\n%s", row.not, text)
			}
		})
	}
}
