package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mesh-split/mesh-split/verify"
	"github.com/mesh-split/mesh-split/verify/cli"
)

// asProgram in the environment makes the test binary mesh-verify itself, for tests that drive several processes.
const asProgram = "MESH_VERIFY_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	testscript.Main(m, map[string]func(){
		"mesh-verify": func() {
			streams := cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}
			os.Exit(int(cli.Main(context.Background(), os.Args[1:], streams)))
		},
	})
}

// Each script runs the real main in a process of its own; its first line says who needs the behaviour. The gateway of these
// scripts is a server in this process that draws versions as Envoy does; the real Envoy stands in the sandbox's tests.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"gateway":    gateway,
			"h2gateway":  h2gateway,
			"tlsgateway": tlsgateway,
			"builds":     builds,
			"exits":      exits,
		},
	})
}

// gateway starts a server and sets $GATEWAY and $GATEWAY_ADDRESS: gateway SPLIT [VERSION:STATUS|VERSION:DELAY|status:N|nolabel]...
func gateway(ts *testscript.TestScript, neg bool, args []string) {
	split, err := verify.ParseSplit(args[0])
	ts.Check(err)
	status, delay := map[string]int{}, map[string]time.Duration{}
	for _, arg := range args[1:] {
		name, value, _ := strings.Cut(arg, ":")
		if d, err := time.ParseDuration(value); err == nil && value != "0" {
			delay[name] = d
		} else if n, err := strconv.Atoi(value); err == nil {
			status[name] = n
		} else {
			status[name] = http.StatusOK
		}
	}
	draw := drawing(split)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		version := draw()
		if n := status["status"]; n != 0 { // the gateway's own reply: it names itself and no version
			w.Header().Set("Server", "istio-envoy")
			w.WriteHeader(n)
			return
		}
		time.Sleep(delay[version])
		if _, silent := status["nolabel"]; !silent {
			w.Header().Set("X-App-Version", version)
		}
		if n := status[version]; n != 0 {
			w.WriteHeader(n)
		}
		fmt.Fprintln(w, r.Method, r.URL.RequestURI(), r.Host, r.Header.Get("X-User"))
	}))
	ts.Defer(server.Close)
	ts.Setenv("GATEWAY", server.URL)
	ts.Setenv("GATEWAY_ADDRESS", server.Listener.Addr().String())
}

// drawing draws a version for each call, the same ones in every test: of unlucky draws a right split takes more requests than a
// script sends, once in some dozens of runs.
func drawing(split verify.Split) func() string {
	var mutex sync.Mutex // guards random
	random := rand.New(rand.NewPCG(1, 2))
	return func() (version string) {
		mutex.Lock()
		draw := random.Float64()
		mutex.Unlock()
		for _, name := range split.Names() {
			version = name
			if draw -= split.Share(name); draw < 0 {
				break
			}
		}
		return version
	}
}

// h2gateway is one that speaks HTTP/2 only, over plain TCP: h2gateway SPLIT [VERSION:GRPC-STATUS]...
func h2gateway(ts *testscript.TestScript, neg bool, args []string) {
	split, err := verify.ParseSplit(args[0])
	ts.Check(err)
	status := map[string]string{}
	for _, arg := range args[1:] {
		name, value, _ := strings.Cut(arg, ":")
		status[name] = value
	}
	draw := drawing(split)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		version := draw()
		w.Header().Set("X-App-Version", version)
		if r.Header.Get("Content-Type") == "application/grpc" && r.Header.Get("TE") == "trailers" {
			w.Header().Set("Trailer", "Grpc-Status")
			_, _ = w.Write(make([]byte, 5))
			w.Header().Set("Grpc-Status", cmp.Or(status[version], "0"))
		}
	}))
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	ts.Defer(server.Close)
	ts.Setenv("GATEWAY", server.URL)
}

// builds starts a server that names N versions in turn, one of them "other", and from request FROM on, unless that is 0, only v1:
// builds N FROM.
func builds(ts *testscript.TestScript, neg bool, args []string) {
	of, err := strconv.ParseUint(args[0], 10, 32)
	ts.Check(err)
	from, err := strconv.ParseUint(args[1], 10, 32)
	ts.Check(err)
	var requests atomic.Uint64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := requests.Add(1) - 1
		version := fmt.Sprint("build-", n%of)
		switch {
		case from > 0 && n >= from:
			version = "v1"
		case n%of == 7:
			version = "other"
		}
		w.Header().Set("X-App-Version", version)
	}))
	ts.Defer(server.Close)
	ts.Setenv("GATEWAY", server.URL)
}

// exits runs a command and wants an exact status: exits 3 mesh-verify …
func exits(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("%s ended with status %d, want %d", args[1], got, want)
	}
}
