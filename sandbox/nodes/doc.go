// Package nodes runs a real Kubernetes node with a real Istio on it, without Docker: kubelet, containerd and runc in
// namespaces of their own, pods with sidecars, mutual TLS, NodePorts. It needs Linux and root.
//
// It answers "give me a cluster on which everything is real but the machine", for `make e2e`. Start makes one, Attach finds
// one that runs, Down removes it whatever state it is in. It refuses to touch what it did not make: it has its own
// containerd, its own folder, its own control groups, and its addresses exist only inside its own network namespace.
//
// The subtle point is how nothing can be left behind. Everything runs below one process that is the first of its own
// process, mount and network namespaces. When that process is killed, the kernel kills every other process in there
// (daemons, shims, containers), and with the last of them go the mounts, the bridge and the pods' interfaces. So Down has
// one process to end, by its recorded id and start time, and it works after any crash. What else outlives a process (the
// name of the network namespace, the control groups, the folder) is written into the state file before it is made.
package nodes
