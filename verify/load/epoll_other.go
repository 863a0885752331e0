//go:build !linux

package load

import (
	"context"

	"github.com/mesh-split/mesh-split/verify/fault"
)

const epollWorks = false

type epoll struct{}

var _ Engine = epoll{}

// Epoll is the engine for Linux and plain TCP; elsewhere its Run is a usage error, never a silent fallback.
func Epoll() Engine { return epoll{} }

func (epoll) Name() string { return "epoll" }

func (epoll) Run(context.Context, *Plan, *Recorder) error {
	return fault.Usagef("use --engine auto or portable", "engine epoll works on Linux only")
}
