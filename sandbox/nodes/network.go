//go:build linux

package nodes

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// The addresses of the node, which exist in its network namespace only. Two runs may use the same ones.
const (
	nodeName       = "node0"
	bridge         = "node0"
	nodeAddress    = "10.89.0.1"
	nodeNet        = "10.89.0.0/24"
	podNet         = "10.244.0.0/24"
	serviceNet     = "10.96.0.0/16"
	serviceAddress = "10.96.0.1" // of the API server
	dnsAddress     = nodeAddress // CoreDNS runs on the node, as a daemon
)

// namespaceFile names the network namespace for ip netns and nsenter.
func namespaceFile(name string) string { return filepath.Join("/run/netns", name) }

// network sets up the node's addresses. A bridge without ports stands for the node's network card: kubelet and kube-proxy
// want an address on a link that is up, and a default route.
func network() error {
	for _, command := range []string{
		"ip link set lo up",
		"ip link add " + bridge + " type bridge",
		"ip address add " + nodeAddress + "/24 dev " + bridge,
		"ip link set " + bridge + " up",
		"ip route add default dev " + bridge,
	} {
		words := strings.Fields(command)
		if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", command, err, strings.TrimSpace(string(out)))
		}
	}
	return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0)
}

// nameNamespace gives the network namespace of the process a name, as `ip netns attach` would. (That command also turns
// /run/netns into a mount of its own and leaves it so.)
func nameNamespace(name string, pid int) error {
	file := namespaceFile(name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL, 0o444)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("network namespace %s exists already\nhint: choose another --name, or: nodes down --name %s", name, name)
	}
	if err != nil {
		return err
	}
	f.Close()
	if err := unix.Mount(fmt.Sprintf("/proc/%d/ns/net", pid), file, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("naming the network namespace: %w", err)
	}
	return nil
}

// forgetNamespace undoes nameNamespace; a name that is gone is no error.
func forgetNamespace(name string) error {
	file := namespaceFile(name)
	if err := unix.Unmount(file, unix.MNT_DETACH); err != nil && !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("unmounting %s: %w", file, err)
	}
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
