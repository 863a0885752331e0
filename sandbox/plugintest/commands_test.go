//go:build unix

package plugintest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// exits CODE PROGRAM ARGS…: run a program that must end with that code. The word $QUICK stands for several flags. For kubectl mesh-split
// that is the program that kubectl finds and becomes: kubectl itself takes longer to start than most of these to answer. `exec kubectl
// mesh-split` goes the whole way.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	words := split(args[1:])
	if len(words) > 1 && words[0] == "kubectl" && words[1] == "mesh-split" {
		words = append([]string{"kubectl-mesh_split"}, words[2:]...)
	}
	err = ts.Exec(words[0], words[1:]...)
	if got := code(err); got != want {
		ts.Fatalf("%s: exit code %d (%v), want %d", strings.Join(words, " "), got, err, want)
	}
}

// split takes $QUICK apart, which a script passes as one word.
func split(args []string) []string {
	var words []string
	for _, a := range args {
		if strings.HasPrefix(a, "--rate=800 ") {
			words = append(words, strings.Fields(a)...)
		} else {
			words = append(words, a)
		}
	}
	return words
}

func code(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	return -1
}

// route NAME WEIGHT/WEIGHT [MATCH-PREFIX]: a VirtualService of the script's own, for host NAME.example.com, live on every
// gateway; deleted at the end of the script.
func routeCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: route NAME WEIGHT/WEIGHT [MATCH-PREFIX]")
	}
	a, b, _ := strings.Cut(args[1], "/")
	match := ""
	if len(args) > 2 {
		match = fmt.Sprintf("match: [{uri: {prefix: %s}}]\n    ", args[2])
	}
	file := ts.MkAbs(args[0] + ".yaml")
	ts.Check(os.WriteFile(file, []byte(demoRoute(args[0], a, b, match)), 0o600))
	applyCommand(ts, false, []string{file})
	ts.Check(ts.Exec("kubectl-mesh_split", "wait", args[0], "--for=live"))
}

// apply FILE…: kubectl apply, of objects that are deleted at the end of the script, however it ends.
func applyCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: apply FILE...")
	}
	for _, file := range args {
		ts.Defer(func() {
			_ = ts.Exec("kubectl", "--kubeconfig", of(ts).Kubeconfig(), "delete", "-f", file, "--wait=false", "--ignore-not-found")
		})
		ts.Check(ts.Exec("kubectl", "apply", "-f", file))
	}
}

// demoRoute is a VirtualService of host NAME.example.com that splits between both versions of the demo application.
func demoRoute(name, prod, stage, match string) string {
	return fmt.Sprintf(`apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: %[1]s, namespace: default, labels: {script: %[1]s}}
spec:
  hosts: [%[1]s.example.com]
  gateways: [app-gateway]
  http:
  - %[4]sroute:
    - destination: {host: flaskapp.prod.svc.cluster.local}
      weight: %[2]s
    - destination: {host: flaskapp.stage.svc.cluster.local}
      weight: %[3]s
`, name, prod, stage, match)
}

// fault ARGS…: break or mend something of the sandbox, as `sandbox fault` does. What is broken is mended at the end.
func faultCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("fault cannot be negated")
	}
	run := func(args ...string) error {
		return ts.Exec("sandbox", append([]string{"fault", "--dir", of(ts).Dir()}, args...)...)
	}
	ts.Check(run(args...))
	mend := map[string]string{"freeze": "thaw", "kill": "restart", "hold": "release", "stop": "start"}[args[0]]
	switch {
	case mend != "":
		ts.Defer(func() { _ = run(mend, args[1]) })
	case args[0] == "app":
		ts.Defer(func() { _ = run("app", args[1]) })
	}
}

// interrupt PATTERN PROGRAM ARGS…: run a program, send it Ctrl-C when a line of its output fits, and check that it ends with
// 130. Its output is then stdout of the script.
func interrupt(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: interrupt PATTERN PROGRAM ARGS...")
	}
	pattern, err := regexp.Compile(args[0])
	ts.Check(err)
	words := split(args[1:])
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	program := command(ctx, ts, words...)
	out, err := program.StdoutPipe()
	ts.Check(err)
	var complaints bytes.Buffer
	program.Stderr = &complaints
	ts.Check(program.Start())
	var said strings.Builder
	lines, sent := bufio.NewScanner(out), false
	for lines.Scan() {
		fmt.Fprintln(&said, lines.Text())
		if !sent && pattern.MatchString(lines.Text()) {
			sent = true
			time.Sleep(150 * time.Millisecond) // into the phase that begins with this line's end
			ts.Check(program.Process.Signal(syscall.SIGINT))
		}
	}
	got := code(program.Wait())
	file := ts.MkAbs("interrupted.txt")
	ts.Check(os.WriteFile(file, []byte(said.String()), 0o600))
	ts.Check(ts.Exec("cat", file))
	if !sent || got != 130 {
		ts.Fatalf("interrupted: %v, exit code %d, want 130\n%s", sent, got, complaints.String())
	}
}

// command is a program of the script's PATH in the script's environment, for use beside what the script itself runs.
func command(ctx context.Context, ts *testscript.TestScript, words ...string) *exec.Cmd {
	dir, _, _ := strings.Cut(ts.Getenv("PATH"), string(os.PathListSeparator)) // the programs under test
	c := exec.CommandContext(ctx, filepath.Join(dir, words[0]), words[1:]...)
	c.Env = append(os.Environ(), "PATH="+ts.Getenv("PATH"), "KUBECONFIG="+ts.Getenv("KUBECONFIG"), "HOME="+ts.Getenv("HOME"))
	return c
}

// serve KIND VARIABLE: a server on loopback that is no gateway: nameless answers 200 without a version, tls speaks TLS only.
func serveCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: serve nameless|tls VARIABLE")
	}
	hello := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "hello") })
	var s *httptest.Server
	switch args[0] {
	case "nameless":
		s = httptest.NewServer(hello)
	case "tls":
		s = httptest.NewUnstartedServer(hello)
		s.Config.ErrorLog = discard
		s.StartTLS()
	default:
		ts.Fatalf("serve %s is not known", args[0])
	}
	ts.Defer(s.Close)
	ts.Setenv(args[1], "http://"+s.Listener.Addr().String())
}
