package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	options, err := parseOptions(os.Args[1:], os.Getenv, os.Stderr)
	switch {
	case err != nil:
	case options.check != "":
		err = check(ctx, options, os.Stdout)
	default:
		err = serve(ctx, options, os.Stdout)
	}
	switch {
	case errors.Is(err, errHelp):
	case errors.As(err, new(usageError)):
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// drainLimit is how long replies that are under way may take after SIGTERM and the drain delay. Kubernetes kills after 30
// s by default; 20 s leaves room for a drain delay of 5 s and some.
const drainLimit = 20 * time.Second

// serve runs until ctx ends, then drains. It returns nil after a clean drain.
func serve(ctx context.Context, o options, stdout io.Writer) error {
	app := newApp(o.version, o.destination)
	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	defer listener.Close()
	servers := []*http.Server{newServer(app)}
	listeners := []net.Listener{listener}
	fmt.Fprintf(stdout, "listening on http://%s\n", listener.Addr())
	if o.admin != "" {
		adminListener, err := net.Listen("tcp", o.admin)
		if err != nil {
			return fmt.Errorf("listening for admin: %w", err)
		}
		defer adminListener.Close()
		servers = append(servers, newServer(app.adminHandler()))
		listeners = append(listeners, adminListener)
		fmt.Fprintf(stdout, "admin on http://%s\n", adminListener.Addr())
	}

	ended := make(chan error, len(servers))
	for i, server := range servers {
		go func() { ended <- server.Serve(listeners[i]) }()
	}
	var failure error
	running := len(servers)
	select {
	case failure = <-ended: // only a broken listener ends Serve before Shutdown
		running--
	case <-ctx.Done():
		app.drain()
		wait(o.drainDelay, ended)
	}

	// A fresh context: the one that ended is the reason to be here.
	limit, cancel := context.WithTimeout(context.Background(), drainLimit)
	defer cancel()
	for _, server := range servers { // the application first, so that its last counts can still be read
		if err := server.Shutdown(limit); err != nil {
			failure = errors.Join(failure, fmt.Errorf("draining: %w", err), server.Close())
		}
	}
	for range running {
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			failure = errors.Join(failure, err)
		}
	}
	return failure
}

// wait sleeps for d, but not if a server has ended meanwhile; the error is put back for the one who collects them.
func wait(d time.Duration, ended chan error) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case err := <-ended:
		ended <- err
	}
}

// newServer accepts HTTP/1.1 and, since meshes may talk it to their upstreams, HTTP/2 without TLS.
func newServer(handler http.Handler) *http.Server {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler:           handler,
		Protocols:         &protocols,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       0, // a server that closes idle connections first makes gateways answer 503 now and then
		MaxHeaderBytes:    64 << 10,
	}
}
