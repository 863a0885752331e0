package load

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// address is one place to connect to.
type address struct {
	dial string // ip:port, or host:port where the name does not resolve: then the dial says why
	host string // the name, for TLS
	err  error  // why the name does not resolve
	aged error  // why it did not when it was looked up again: what was known before is still tried
}

// explain adds to why a dial failed that the address may not be the name's any more.
func (a address) explain(err error) error {
	if err == nil || a.aged == nil {
		return err
	}
	return fmt.Errorf("%w; %s could not be looked up again: %w", err, a.host, a.aged)
}

// named says whether looking it up again may help.
func (a address) named() bool { return a.err != nil || net.ParseIP(a.host) == nil }

// resolver spreads connections round robin over everything the plan's addresses resolve to.
type resolver struct {
	plan    []string
	list    atomic.Pointer[[]address]
	mu      sync.Mutex // held while resolving
	looked  time.Time  // when that was last; guarded by mu
	timeout time.Duration
}

// resolveEvery bounds how often failing dials ask the name server.
const resolveEvery = time.Second

func newResolver(p *Plan) *resolver { return &resolver{plan: p.Addresses, timeout: p.DialTimeout} }

// resolve looks all names up again, but not more often than resolveEvery.
func (r *resolver) resolve(ctx context.Context) {
	if !r.mu.TryLock() {
		return // another worker is at it
	}
	defer r.mu.Unlock()
	if !r.looked.IsZero() && time.Since(r.looked) < resolveEvery {
		return
	}
	r.looked = time.Now()
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	var list []address
	for _, a := range r.plan {
		host, port, err := net.SplitHostPort(a)
		if err != nil || net.ParseIP(host) != nil {
			list = append(list, address{dial: a, host: host})
			continue
		}
		ips, err := net.DefaultResolver.LookupHost(ctx, host)
		if err != nil {
			list = append(list, r.known(a, host, port, err)...)
		}
		for _, ip := range ips {
			list = append(list, address{dial: net.JoinHostPort(ip, port), host: host})
		}
	}
	r.list.Store(&list)
}

// known is what an address of the plan resolved to before looking it up failed: a name server's outage is not the gateway's.
func (r *resolver) known(a, host, port string, err error) (list []address) {
	if before := r.list.Load(); before != nil {
		for _, known := range *before {
			if _, itsPort, _ := net.SplitHostPort(known.dial); known.host == host && itsPort == port && known.err == nil {
				known.aged = err
				list = append(list, known)
			}
		}
	}
	if list == nil {
		list = []address{{dial: a, host: host, err: err}}
	}
	return list
}

// pick gives the address for a slot's n-th dial.
func (r *resolver) pick(slot, n int) address {
	list := *r.list.Load()
	return list[(slot+n)%len(list)]
}
