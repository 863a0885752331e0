package load

import (
	"strings"

	"github.com/mesh-split/mesh-split/verify/fault"
)

// Engines lists those of HTTP/1.1 that work on this system, the one that works everywhere first.
func Engines() []Engine {
	if epollWorks {
		return []Engine{Portable(), Epoll()}
	}
	return []Engine{Portable()}
}

// Auto is the fastest engine of HTTP/1.1 that can send the plan: epoll on Linux over plain TCP, else the portable one.
func Auto(p *Plan) Engine {
	if p.TLS == nil && epollWorks {
		return Epoll()
	}
	return Portable()
}

// ParseEngine gives the engine of a name, nil for "auto", to be chosen by [Auto]. Errors are usage errors; whether the
// engine can send a plan is said by its Run.
func ParseEngine(name string) (Engine, error) {
	if name == "auto" {
		return nil, nil
	}
	names := []string{"auto"}
	for _, e := range append(Engines(), HTTP2()) {
		if e.Name() == name {
			return e, nil
		}
		names = append(names, e.Name())
	}
	return nil, fault.Usagef("write --engine "+strings.Join(names, ", "), "engine %q is not known on this system", name)
}
