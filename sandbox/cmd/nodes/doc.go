// Nodes runs a real Kubernetes node with a real Istio on it: kubelet, containerd, pods with sidecars, mutual TLS. It needs
// Linux and root, and no Docker.
//
//	nodes up [--name NAME]                start a cluster; it runs until down
//	nodes status [--name NAME]            what runs, and how to reach it
//	nodes exec [--name NAME] -- PROGRAM   run a program where the cluster's addresses exist
//	nodes down [--name NAME]              end it, or sweep up after a crash
//
// It is one program for all Kubernetes processes of the node: the first argument picks etcd, kube-apiserver,
// kube-controller-manager, kube-scheduler, kubelet, kube-proxy, or init, which starts the others.
package main
