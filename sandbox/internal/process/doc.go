//go:build unix

// Package process starts the sandbox's children and makes sure that none outlives it.
//
// It answers "is this still the process that we started?" and "is it gone?". A process id alone does not say: the kernel
// hands ids out again. An [Identity] therefore carries the start time too, and nothing here ever signals a process whose
// start time differs. It refuses to know what the processes are for.
//
// The subtle point: on Linux a child is told to die with its parent (PR_SET_PDEATHSIG), and Linux means the parent's
// *thread*. All children are therefore started from one thread that lives as long as the supervisor.
package process
