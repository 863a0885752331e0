//go:build unix

// Package supervisor owns a sandbox: it starts its processes, puts its objects into the API server, breaks what it is
// asked to break, and ends everything.
//
// It takes one [wire.Config] and gives events, a state file and a control port. It knows how the parts fit; what each part
// is, it leaves to the packages beside it. The subtle point is ownership: children die with the supervisor, the supervisor
// ends with its lease (a pipe to whoever wanted the sandbox) as long as that binds, and the state file names what is
// left for a sweep if the machine has no means for the first.
package supervisor
