//go:build unix

package sandbox_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/mesh-split/mesh-split/sandbox"
)

// verdict is the part of a VerificationReport that these tests compare with Envoy's own counters.
type verdict struct {
	Verdict  string
	Reasons  []struct{ Code string }
	Versions []struct {
		Name             string
		Requests, Errors uint64
	}
	Unattributed uint64
	Outcomes     map[string]uint64
	GRPCStatuses map[string]uint64
	Requests     struct{ Sent, Evidence uint64 }
}

// meshVerify runs the built program against the shared gateway and gives its report and its exit code.
func meshVerify(t *testing.T, args ...string) (verdict, int) {
	t.Helper()
	program, err := filepath.Abs("../bin/mesh-verify")
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), program, append(args, "-o", "json")...)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	err = command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%v (make build makes it)", err)
	}
	var v verdict
	if err := json.Unmarshal(stdout.Bytes(), &v); err != nil {
		t.Fatalf("no report: %v\n%s%s", err, &stdout, &stderr)
	}
	return v, command.ProcessState.ExitCode()
}

// The verdict is right run after run, and every count equals what the Envoys counted, request for request.
// MESH_SPLIT_RUNS=20 repeats it as often as a release does.
func TestVerdictsAndCountsAgainstEnvoy(t *testing.T) {
	runs := repeated(2)
	for _, row := range []struct {
		prod, stage int // what the mesh is told
		want        string
		exit        int
	}{
		{70, 30, "PASS", 0},
		{50, 50, "FAIL", 3},
	} {
		split(t, shared, row.prod, row.stage, 0, 1)
		for run := range runs {
			before, err := shared.EnvoyCounters(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			v, exit := meshVerify(t, shared.GatewayURL(), "--expect", "v1=70,v2=30", "--rate", "5000", "--max-requests", "60000")
			after, err := shared.EnvoyCounters(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if v.Verdict != row.want || exit != row.exit {
				t.Errorf("%d/%d, run %d: %s with status %d, want %s with %d: %+v", row.prod, row.stage, run, v.Verdict, exit, row.want, row.exit, v)
			}
			counted := after.Since(before)
			if len(v.Versions) != 2 || v.Versions[0].Requests != counted.Total(prod) || v.Versions[1].Requests != counted.Total(stage) ||
				v.Unattributed != 0 || v.Requests.Sent != counted.Total(prod)+counted.Total(stage) {
				t.Errorf("%d/%d, run %d: %+v, but the Envoys counted %d and %d", row.prod, row.stage, run, v, counted.Total(prod), counted.Total(stage))
			}
		}
	}
}

// As fast as Envoy answers, over 256 connections: whatever is under way at any moment, every request has an outcome, every
// outcome is an answer, and the counts are Envoy's. MESH_SPLIT_SECONDS=60 runs it as long as a release does.
func TestCountsAtFullSpeed(t *testing.T) {
	seconds := 1
	if n, err := strconv.Atoi(os.Getenv("MESH_SPLIT_SECONDS")); err == nil {
		seconds = n
	}
	split(t, shared, 70, 30, 0, 1)
	for engine, more := range map[string][]string{"portable": nil, "auto": nil, "h2": {"--streams", "10"}} { // auto is epoll on Linux
		before, err := shared.EnvoyCounters(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		v, exit := meshVerify(t, append([]string{"load", shared.GatewayURL(), "--engine", engine, "--rate", "max", "--connections", "256",
			"--max-time", strconv.Itoa(seconds) + "s", "--max-requests", "1000000000"}, more...)...)
		after, err := shared.EnvoyCounters(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		counted := after.Since(before)
		first, second := counted.Total(prod), counted.Total(stage)
		if exit != 0 || v.Requests.Sent != first+second || v.Outcomes["answered"] != v.Requests.Sent || len(v.Outcomes) != 1 {
			t.Errorf("%s: status %d, %d sent with outcomes %v; the Envoys counted %d", engine, exit, v.Requests.Sent, v.Outcomes, first+second)
		}
		byName := map[string]uint64{}
		for _, version := range v.Versions {
			byName[version.Name] = version.Requests
		}
		if len(byName) != 2 || byName["v1"] != first || byName["v2"] != second {
			t.Errorf("%s: %+v, but the Envoys counted %d and %d", engine, v.Versions, first, second)
		}
		n := float64(first + second)
		if off := math.Abs(float64(second)-0.3*n) / math.Sqrt(n*0.3*0.7); off > 5 {
			t.Errorf("%s: %d of %.0f by v2, %.1f sigma from 30 %%", engine, second, n, off)
		}
		t.Logf("%s: %d requests in %d s, %d by v1 and %d by v2, as the Envoys counted; outcomes %v", engine, v.Requests.Sent, seconds, first, second, v.Outcomes)
	}
}

// repeated is how often a test that speaks of rates repeats: MESH_SPLIT_RUNS, or few.
func repeated(few int) int {
	if n, err := strconv.Atoi(os.Getenv("MESH_SPLIT_RUNS")); err == nil {
		return n
	}
	return few
}

// A right split with a broken v2 is a FAIL, and it is the fault that is named, not the share.
func TestBrokenVersionsAreFound(t *testing.T) {
	split(t, shared, 70, 30, 0, 1)
	for _, row := range []struct {
		what     string
		switches sandbox.Switches
		args     []string
		code     string
	}{
		{"v2 fails a fifth of its requests, found by default", sandbox.Switches{ErrorRate: 0.2}, nil, "errors"},
		{"v2 fails 3 %, and 1 % was allowed", sandbox.Switches{ErrorRate: 0.03}, []string{"--max-error-rate", "1%"}, "errors"},
		{"v2 is 20 ms slower, found when asked for", sandbox.Switches{Latency: 20 * time.Millisecond},
			[]string{"--fail-on", "split,errors,latency", "--slower-than", "15ms", "--connections", "64"}, "latency"},
	} {
		if err := shared.Fault(t.Context(), "v2", row.switches); err != nil {
			t.Fatal(err)
		}
		for run := range repeated(2) {
			v, exit := meshVerify(t, append([]string{shared.GatewayURL(), "--expect", "v1=70,v2=30", "--rate", "2000"}, row.args...)...)
			if v.Verdict != "FAIL" || exit != 3 || v.Reasons[0].Code != row.code {
				t.Errorf("%s: run %d ended %s %v with status %d, want FAIL %s", row.what, run, v.Verdict, v.Reasons, exit, row.code)
			}
		}
		if err := shared.Fault(t.Context(), "v2", sandbox.Switches{}); err != nil {
			t.Fatal(err)
		}
	}
}
