package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/mesh-split/mesh-split/hack/benchload/far"
)

// bench is one benchmark under way.
type bench struct {
	tools         *tools
	far           *far.Side
	settings      far.Settings
	farCore       int
	clientCore    int
	rounds        int
	round, warmUp time.Duration
	connections   []int
	many          int // requests of the comparison of counts
	results       Results
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "serve" {
		exit(far.Serve(os.Args[2]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	exit(run(ctx))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func run(ctx context.Context) error {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	rounds := flag.Int("rounds", 7, "rounds")
	round := flag.Duration("round", 1500*time.Millisecond, "time measured of each client in each round")
	warmUp := flag.Duration("warm-up", 500*time.Millisecond, "time before that")
	connections := flag.String("connections", "8,64,256", "numbers of connections, of 8, 64 and 256")
	only := flag.String("only", "cost,pacing,pause,stop,speed", "stages to run; there are counts and long, too")
	many := flag.Int("many", 10_000_000, "requests that stage counts sends on each engine")
	dir := flag.String("tools", filepath.Join(cache, "benchload"), "folder to install tools into")
	install := flag.Bool("install", true, "install what is missing")
	program := flag.String("program", "bin/mesh-verify", "our program")
	out := flag.String("out", "docs/benchmarks", "folder for page, picture and raw rounds")
	flag.Parse()

	b := &bench{rounds: *rounds, round: *round, warmUp: *warmUp, many: *many, settings: far.Settings{Share: 0.3}}
	for _, text := range strings.Split(*connections, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || !slices.Contains(columns[:], n) {
			return fmt.Errorf("--connections %q: only 8, 64 and 256 have goals", text)
		}
		b.connections = append(b.connections, n)
	}
	if b.farCore, b.clientCore, err = cores(); err != nil {
		return err
	}
	if b.tools, err = findTools(ctx, *dir, *install); err != nil {
		return err
	}
	if err := b.findOurs(*program); err != nil {
		return err
	}
	raw := filepath.Join(*out, "load.json")
	if text, err := os.ReadFile(raw); err == nil { // stages that do not run keep what they found
		if err := json.Unmarshal(text, &b.results); err != nil {
			return fmt.Errorf("reading %s: %w", raw, err)
		}
	}
	b.describe()
	own, err := os.MkdirTemp("", "benchload") // not the folder of tools, which two runs at once may share
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(own) }()
	if b.far, err = far.Start(b.farCore, filepath.Join(own, "authority.pem")); err != nil {
		return err
	}
	defer b.far.Close()
	for _, s := range stages {
		if !slices.Contains(strings.Split(*only, ","), s.name) {
			continue
		}
		if err := s.run(b, ctx); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		if err := write(*out, &b.results); err != nil {
			return err
		}
	}
	for _, name := range b.tools.absent {
		say("!!! NOT MEASURED: %s is absent", name)
	}
	say("wrote %s", filepath.Join(*out, "load.md"))
	return nil
}

// stages are the parts of a benchmark, in order.
var stages = []struct {
	name string
	run  func(*bench, context.Context) error
}{
	{"cost", (*bench).cost},
	{"pacing", (*bench).pacing},
	{"pause", (*bench).pause},
	{"stop", (*bench).stop},
	{"speed", (*bench).speed},
	{"counts", (*bench).counts},
	{"long", (*bench).long},
}

// findOurs looks at our own program: which engines has it?
func (b *bench) findOurs(program string) error {
	help, err := exec.Command(program, "load", "--help").Output()
	if err != nil {
		return fmt.Errorf("%s: %w (make build makes it)", program, err)
	}
	version, _ := exec.Command(program, "version").Output()
	for _, engine := range []string{"epoll", "portable", "h2"} {
		if engine == "h2" && !strings.Contains(string(help), "--http ") {
			b.tools.absent = append(b.tools.absent, "h2")
			say("!!! SKIPPED: this %s has no HTTP/2 engine", program)
			continue
		}
		b.tools.paths[engine], b.tools.versions[engine] = program, strings.TrimSpace(strings.TrimPrefix(string(version), "mesh-verify "))
	}
	return nil
}

// cores are the first two that this process may use.
func cores() (farSide, client int, err error) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, 0, err
	}
	_, list, _ := strings.Cut(string(text), "Cpus_allowed_list:")
	list, _, _ = strings.Cut(strings.TrimSpace(list), "\n")
	var allowed []int
	for _, part := range strings.Split(list, ",") {
		from, to, isRange := strings.Cut(part, "-")
		low, err := strconv.Atoi(from)
		if err != nil {
			return 0, 0, fmt.Errorf("cores allowed here: %q", list)
		}
		high := low
		if isRange {
			high, _ = strconv.Atoi(to)
		}
		for n := low; n <= high; n++ {
			allowed = append(allowed, n)
		}
	}
	if len(allowed) < 2 {
		return 0, 0, fmt.Errorf("one core only: the far side and the client need one each")
	}
	return allowed[0], allowed[1], nil
}

// describe notes where and with what the measuring is done.
func (b *bench) describe() {
	m := &b.results.Machine
	m.Cores, m.Go, m.Day = runtime.NumCPU(), runtime.Version(), time.Now().UTC().Format(time.DateOnly)
	if out, err := exec.Command("uname", "-sr").Output(); err == nil {
		m.Kernel = strings.TrimSpace(string(out))
	}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		_, name, _ := strings.Cut(string(text), "model name\t: ")
		m.Processor, _, _ = strings.Cut(name, "\n")
	}
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.Load = strings.Join(strings.Fields(string(text))[:3], " ")
	}
	r := &b.results
	r.Versions, r.Absent, r.Commands = b.tools.versions, b.tools.absent, map[string][]string{}
	for _, client := range b.present(races[0].clients) {
		args, _ := arguments(client, &job{far: far.Addresses{Plain: "ADDRESS:PORT"}, protocol: plainHTTP, connections: 64})
		r.Commands[client] = args
	}
}
