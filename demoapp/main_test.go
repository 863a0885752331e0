package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestOptions(t *testing.T) {
	tests := []struct {
		name string
		args []string
		env  map[string]string
		want options
		err  string
	}{
		{name: "nothing given is v1 on port 8080 without an admin port", want: options{version: "v1", listen: ":8080"}},
		{name: "the environment fills in", env: map[string]string{"APP_VERSION": "v2", "APP_DRAIN_DELAY": "5s"},
			want: options{version: "v2", listen: ":8080", drainDelay: 5 * time.Second}},
		{name: "a flag beats the environment", args: []string{"--version", "v3"}, env: map[string]string{"APP_VERSION": "v2"},
			want: options{version: "v3", listen: ":8080"}},
		{name: "a version goes into headers and HTML, so it is a label", args: []string{"--version", "v1\r\nx: y"}, err: "is not a label"},
		{name: "all faults at once", args: []string{"--destination", "<b>", "--drain-delay", "-1s", "extra"},
			err: "--destination \"<b>\" is not a label such as prod\n--drain-delay -1s is negative\nunexpected argument \"extra\""},
		{name: "an unknown flag", args: []string{"--colour"}, err: "flag provided but not defined"},
		{name: "a bad duration in the environment names its variable", env: map[string]string{"APP_DRAIN_DELAY": "5"}, err: "APP_DRAIN_DELAY"},
	}
	for _, tt := range tests {
		got, err := parseOptions(tt.args, func(name string) string { return tt.env[name] }, io.Discard)
		switch {
		case tt.err == "" && (err != nil || got != tt.want):
			t.Errorf("%s: got %+v, %v; want %+v", tt.name, got, err, tt.want)
		case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err) || !errors.As(err, new(usageError))):
			t.Errorf("%s: got error %v, want a usage error with %q", tt.name, err, tt.err)
		}
	}
	if _, err := parseOptions([]string{"-h"}, func(string) string { return "" }, io.Discard); err != errHelp {
		t.Errorf("-h gave %v, want errHelp", err)
	}
}

// started runs the server on free ports and gives their URLs; stop ends it and gives what serve returned.
func started(t *testing.T, o options) (url, admin string, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	read, write := io.Pipe()
	done := make(chan error, 1)
	o.version, o.listen, o.admin = "v1", "127.0.0.1:0", "127.0.0.1:0"
	go func() { done <- serve(ctx, o, write); write.Close() }()
	lines := bufio.NewScanner(read)
	for _, prefix := range []string{"listening on ", "admin on "} {
		if !lines.Scan() || !strings.HasPrefix(lines.Text(), prefix) {
			t.Fatalf("got line %q, want %q and a URL", lines.Text(), prefix)
		}
		url, admin = admin, strings.TrimPrefix(lines.Text(), prefix)
	}
	return url, admin, func() error { cancel(); return <-done }
}

func TestServeCountsExactly(t *testing.T) {
	url, admin, stop := started(t, options{})
	const n = 50
	for range n {
		r, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, r.Body)
		r.Body.Close()
	}
	r, err := http.Get(admin + "/-/stats")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var s stats
	if err := json.NewDecoder(r.Body).Decode(&s); err != nil || s.Requests != n || s.ByStatus["200"] != n {
		t.Errorf("after %d replies the stats are %+v, %v", n, s, err)
	}
	if err := stop(); err != nil {
		t.Errorf("serve ended with %v", err)
	}
}

// SIGTERM under load: a request that is on its way is answered, one that comes during the drain delay too, and its reply
// asks for the connection to be closed.
func TestDrain(t *testing.T) {
	url, admin, stop := started(t, options{drainDelay: 300 * time.Millisecond})
	post, err := http.Post(admin+"/-/faults", "application/json", strings.NewReader(`{"latency":"100ms"}`))
	if err != nil || post.StatusCode != 200 {
		t.Fatalf("setting the latency: %v, %v", post, err)
	}
	type result struct {
		reply *http.Response
		err   error
	}
	ask := func() chan result {
		c := make(chan result, 1)
		go func() { r, err := http.Get(url); c <- result{r, err} }()
		return c
	}
	early := ask()
	for inFlight := int64(0); inFlight == 0; { // until it is on its way, or the test's time limit
		r, err := http.Get(admin + "/-/stats")
		if err != nil {
			t.Fatal(err)
		}
		var s stats
		json.NewDecoder(r.Body).Decode(&s)
		r.Body.Close()
		inFlight = s.InFlight
	}
	ended := make(chan error, 1)
	go func() { ended <- stop() }()
	for ready := true; ready; {
		r, err := http.Get(url + "/readyz")
		if err != nil {
			t.Fatalf("during the drain delay: %v", err)
		}
		r.Body.Close()
		ready = r.StatusCode == 200
	}
	late := ask()
	if got := <-early; got.err != nil || got.reply.StatusCode != 200 {
		t.Errorf("the request on its way got %v, %v", got.reply, got.err)
	}
	if got := <-late; got.err != nil || got.reply.StatusCode != 200 || !got.reply.Close {
		t.Errorf("the request during the drain delay got %v, %v; want 200 and connection: close", got.reply, got.err)
	}
	if err := <-ended; err != nil {
		t.Errorf("serve ended with %v", err)
	}
	if _, err := http.Get(url); err == nil {
		t.Error("the application still answers after the drain")
	}
}

func TestListenTaken(t *testing.T) {
	url, _, stop := started(t, options{})
	err := serve(t.Context(), options{version: "v1", listen: strings.TrimPrefix(url, "http://")}, io.Discard)
	if err == nil || !strings.HasPrefix(err.Error(), "listening: ") {
		t.Errorf("a taken port gave %v", err)
	}
	stop()
}
