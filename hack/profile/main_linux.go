package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"time"

	"github.com/mesh-split/mesh-split/hack/benchload/far"
	"github.com/mesh-split/mesh-split/verify"
	"github.com/mesh-split/mesh-split/verify/load"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == "serve" { // far.Start runs this program again
		exit(far.Serve(os.Args[2]))
	}
	out := flag.String("out", "cmd/mesh-verify/default.pgo", "file to write")
	each := flag.Duration("each", 5*time.Second, "time of each load")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	exit(write(ctx, *out, *each))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// write makes the profile beside its place, and puts it there only when every load has gone well.
func write(ctx context.Context, out string, each time.Duration) (err error) {
	dir, err := os.MkdirTemp("", "profile")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	authority := filepath.Join(dir, "authority.pem")
	side, err := far.Start(0, authority)
	if err != nil {
		return err
	}
	defer side.Close()
	if err := side.Set(far.Settings{Share: 0.3}); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(out), ".default.pgo-")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // of no avail once it is renamed
	runtime.GOMAXPROCS(1)                      // the other core is the far side's
	if err := pprof.StartCPUProfile(f); err != nil {
		return err
	}
	err = loads(ctx, side.Addresses, authority, each)
	pprof.StopCPUProfile()
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), out)
}

// loads runs every engine at the numbers of connections that are compared with other tools.
func loads(ctx context.Context, to far.Addresses, authority string, each time.Duration) error {
	pem, err := os.ReadFile(authority)
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	for _, of := range []verify.Config{
		{URL: "http://" + to.Plain, Engine: load.Epoll()},
		{URL: "http://" + to.Plain, Engine: load.Portable()},
		{URL: "https://" + to.TLS, TLS: &tls.Config{RootCAs: pool}},
		{URL: "http://" + to.H2, HTTP: verify.HTTP2, Streams: 10},
	} {
		for _, connections := range []int{8, 64, 256} {
			c := of
			c.LoadOnly, c.Rate, c.Connections, c.MaxTime, c.MaxRequests = true, verify.Unpaced, connections, each, 1e12
			r, err := verify.Run(ctx, c)
			if err != nil {
				return err
			}
			if r.Interrupted {
				return context.Canceled
			}
			fmt.Printf("%s over %s, %d connections: %.0f requests/s\n", r.Load.Engine, r.Load.Protocol, connections, r.Load.RequestsPerSecond)
		}
	}
	return nil
}
