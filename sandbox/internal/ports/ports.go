//go:build unix

// Package ports hands out free TCP ports of the loopback interface.
//
// It answers "which port may this sandbox use?" such that two sandboxes never get the same one, even if both run gateways
// that set SO_REUSEPORT: two such programs can listen on one port without an error, and the kernel would then mix their
// traffic. A port is therefore locked by a file in the user's cache folder, and tried with a plain bind, which fails if
// anybody else listens. The subtle point: the lock is the kernel's (flock) on an open file, so it ends with the process that
// holds it, and a crash leaves nothing to repair.
package ports

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// Range is an interval of ports, ends included.
type Range struct{ First, Last int }

var (
	// Plain are ports for everything but node ports: above what services register, below Kubernetes' node ports and the
	// ports that Linux (32768 up) and macOS (49152 up) give to outgoing connections, which could take one between our
	// choice and its use.
	Plain = Range{20000, 29999}
	// Node are the ports Kubernetes allows as nodePort by default (--service-node-port-range).
	Node = Range{30000, 32767}
)

// Pool is the set of ports a sandbox holds. Not for concurrent use.
type Pool struct {
	dir   string
	rand  *rand.Rand
	locks []*os.File
}

// NewPool returns an empty pool whose locks live in dir, which all sandboxes of the user share.
func NewPool(dir string, rand *rand.Rand) (*Pool, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return &Pool{dir: dir, rand: rand}, nil
}

// Take returns a free port of the range and holds it until Release or the end of the process.
func (p *Pool) Take(r Range) (int, error) {
	n := r.Last - r.First + 1
	start := p.rand.IntN(n) // sandboxes that start at once should not all try the same port first
	for i := range n {
		port := r.First + (start+i)%n
		lock, err := p.lock(port)
		if errors.Is(err, unix.EWOULDBLOCK) {
			continue
		}
		if err != nil {
			return 0, err
		}
		if !bindable(port) {
			lock.Close()
			continue
		}
		p.locks = append(p.locks, lock)
		return port, nil
	}
	return 0, fmt.Errorf("no free port from %d to %d on 127.0.0.1", r.First, r.Last)
}

// Release gives all ports back.
func (p *Pool) Release() {
	for _, lock := range p.locks {
		lock.Close()
	}
	p.locks = nil
}

// lock opens and locks the port's file. The file stays: removing it would let two holders lock two files of one name.
func (p *Pool) lock(port int) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(p.dir, strconv.Itoa(port)+".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// bindable tries the port on loopback and on all addresses, where somebody else may listen.
func bindable(port int) bool {
	for _, host := range []string{"127.0.0.1", ""} {
		listener, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		if err != nil {
			return false
		}
		listener.Close()
	}
	return true
}
