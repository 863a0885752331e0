//go:build unix

// Sandbox runs a real kube-apiserver, a real istiod and real Envoys on loopback: no root, no containers.
//
//	sandbox up [--dir DIR] [--gateways N]    start one; it runs until down
//	sandbox status [--dir DIR]               what runs, and where
//	sandbox fault ACTION TARGET              break or mend something
//	sandbox down [--dir DIR]                 end it, or sweep up after a crash
//
// It is one program for all processes of a sandbox: the first argument picks etcd, kube-apiserver, istiod or the supervisor
// that starts the others. One program links what they share once, which is most of it.
package main
