// Coredns is the cluster DNS of the real-node cluster: CoreDNS with only the plugins that its one Corefile names (errors,
// health, ready, cache, kubernetes). It is a module of its own because CoreDNS asks for newer gRPC and etcd modules than
// the kube-apiserver of this cluster is released with.
//
//	coredns -conf Corefile
package main
