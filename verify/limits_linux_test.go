package verify_test

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/mesh-split/mesh-split/verify"
	"github.com/mesh-split/mesh-split/verify/load"
	"github.com/mesh-split/mesh-split/verify/report"
	"github.com/mesh-split/mesh-split/verify/verdict"
)

// Each limit of our own is reached for real, in a process of its own, whose processors, descriptors or ports are few. The
// report names it, with what helps, on a screen and in the document.

// inChild runs the test again in a process that the attributes shape, and says whether this is that process.
func inChild(t *testing.T, url string, attributes *syscall.SysProcAttr, environment ...string) bool {
	t.Helper()
	const mark = "VERIFY_LIMITS_CHILD"
	if os.Getenv(mark) != "" {
		return true
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), self, "-test.run", "^"+t.Name()+"$", "-test.v")
	c.Env = append(append(os.Environ(), mark+"=1", "GATEWAY="+url), environment...)
	c.SysProcAttr = attributes
	out, err := c.CombinedOutput()
	if attributes != nil && c.Process == nil {
		t.Skipf("no namespace may be made here: %v", err)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
	return false
}

// wantLimit wants one limit in a report, in words too.
func wantLimit(t *testing.T, r *verify.Report, code, message, remedy string) {
	t.Helper()
	var text bytes.Buffer
	report.WriteNotes(&text, r)
	t.Logf("\n%s", &text)
	for _, l := range r.Load.Limits {
		if l.Code == code {
			if !strings.Contains(l.Message, message) || !strings.Contains(l.Remedy, remedy) {
				t.Errorf("limit %+v, want %q and as remedy %q", l, message, remedy)
			}
			if !strings.Contains(text.String(), l.Message) || !strings.Contains(text.String(), l.Remedy) {
				t.Errorf("a person is not told")
			}
			return
		}
	}
	t.Errorf("limits %+v, want %s", r.Load.Limits, code)
}

// With one processor, which somebody else uses, starts are late although connections are free: the cause is our processor.
func TestLimitBusy(t *testing.T) {
	_, url := serve(t, "v1=70,v2=30")
	if !inChild(t, url, nil, "GOMAXPROCS=1") {
		return
	}
	stop := make(chan struct{})
	defer close(stop)
	for range 4 {
		go func() {
			for n := 0; ; n++ {
				if n%1000 == 0 {
					select {
					case <-stop:
						return
					default:
					}
				}
			}
		}()
	}
	for _, e := range load.Engines() {
		t.Log(e.Name())
		var r *verify.Report
		for range 3 { // a machine that others keep busy starves the far side too, and then that is the cause
			var err error
			r, err = verify.Run(t.Context(), verify.Config{Target: split(t, "v1=70,v2=30"), URL: os.Getenv("GATEWAY"), Rate: 1000, MaxRequests: 1000, Engine: e})
			if err != nil {
				t.Fatal(err)
			}
			if slices.ContainsFunc(r.Load.Limits, func(l report.Limit) bool { return strings.Contains(l.Message, "cause: our cpu") }) {
				break
			}
		}
		wantLimit(t, r, "behind", "cause: our cpu", "lower --rate")
		if s := r.Load.Schedule; s.LagP50 > s.LagP99 || s.LagP99 > s.LagMax || s.LagP99 < 0.01 {
			t.Errorf("lag p50 %v, p99 %v, max %v; want some that is above 10 ms", s.LagP50, s.LagP99, s.LagMax)
		}
		if r.Load.Busy < load.MaxBusy {
			t.Logf("busy %v of the time only: other processes on this machine took the processor, so that limit was not reached", r.Load.Busy)
			continue
		}
		wantLimit(t, r, "busy", "latencies include our own queue", "--rate")
	}
}

// Too few connections for the rate: how many would do is said.
func TestLimitConnections(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	slow := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(20 * time.Millisecond)
		w.Header().Set("X-App-Version", "v1")
	})}
	go func() { _ = slow.Serve(server) }()
	defer func() { _ = slow.Close() }()
	r, err := verify.Run(t.Context(), verify.Config{Target: split(t, "v1=100"), URL: "http://" + server.Addr().String(), Rate: 500, Connections: 2, MaxTime: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	wantLimit(t, r, "behind", " never made; cause: connections", "connections would keep the rate: --connections 1") // 500/s × 20 ms × 1.2 = 12 or a few more
}

// More files are open than the limit's check could know of.
func TestLimitDescriptors(t *testing.T) {
	_, url := serve(t, "v1=70,v2=30")
	if !inChild(t, url, nil) {
		return
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 150, Max: 150}); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Close() }()
	}
	for _, e := range load.Engines() {
		r, err := verify.Run(t.Context(), verify.Config{Target: split(t, "v1=70,v2=30"), URL: os.Getenv("GATEWAY"), Rate: 2000, Connections: 60, MaxRequests: 1000, Engine: e})
		if err != nil {
			t.Fatal(err)
		}
		if r.Outcomes["dial_error"] == 0 || r.Requests.Evidence+r.Outcomes["dial_error"] != r.Requests.Sent {
			t.Errorf("%d sent, %d of evidence, outcomes %v; want dial errors apart from the evidence", r.Requests.Sent, r.Requests.Evidence, r.Outcomes)
		}
		wantLimit(t, r, "descriptors", "no file descriptor was free", "ulimit -n")
	}
}

// Ports run out for real in a network namespace that has 16 of them: more connections than that, and connections that each
// leave one behind in TIME_WAIT.
func TestLimitPorts(t *testing.T) {
	namespace := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}}
	if !inChild(t, "", namespace) {
		return
	}
	loopback(t)
	// On loopback Linux gives a port in TIME_WAIT out again after a second, which on a slow machine is in time.
	if err := os.WriteFile("/proc/sys/net/ipv4/tcp_tw_reuse", []byte("0"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, url := serve(t, "v1=70,v2=30")
	next := 40000
	freshPorts := func() {
		text := fmt.Sprintf("%d %d", next, next+15)
		if err := os.WriteFile("/proc/sys/net/ipv4/ip_local_port_range", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		next += 100
	}
	for _, e := range load.Engines() {
		freshPorts()
		c := verify.Config{Target: split(t, "v1=70,v2=30"), URL: url, Rate: 2000, Connections: 20, MaxRequests: 1000, Engine: e}
		r, err := verify.Run(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if r.Outcomes["dial_error"] == 0 || r.Requests.Evidence+r.Outcomes["dial_error"] != r.Requests.Sent {
			t.Errorf("%d sent, %d of evidence, outcomes %v; want dial errors apart from the evidence", r.Requests.Sent, r.Requests.Evidence, r.Outcomes)
		}
		wantLimit(t, r, "ports", "no local port was free", "--conn-requests")

		freshPorts()
		c.Rate, c.Connections, c.ConnRequests = 200, 4, 1
		if r, err = verify.Run(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		wantLimit(t, r, "ports", "no local port was free", "--conn-requests")
		if r.Verdict != "INCONCLUSIVE" || r.Reasons[0].Code != verdict.CodeUnreachable {
			t.Errorf("verdict %s, reasons %+v; want the run ended for want of ports", r.Verdict, r.Reasons)
		}
	}
}

// loopback brings up the loopback of a new namespace.
func loopback(t *testing.T) {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Close(fd) }()
	request := struct {
		name  [16]byte
		flags uint16
		_     [22]byte
	}{flags: syscall.IFF_UP | syscall.IFF_RUNNING}
	copy(request.name[:], "lo")
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), syscall.SIOCSIFFLAGS, uintptr(unsafe.Pointer(&request)))
	runtime.KeepAlive(&request)
	if errno != 0 {
		t.Fatal(errno)
	}
}
