//go:build unix

package process

import "runtime"

// serve runs requests on a thread that it never gives back.
func (s *Starter) serve() {
	runtime.LockOSThread()
	for request := range s.requests {
		request()
	}
}
