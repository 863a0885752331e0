//go:build linux

package nodes

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Cluster is a running cluster.
type Cluster struct {
	dir   string
	state *State
}

// Dir is the folder of the run, and State what is known of it.
func (c *Cluster) Dir() string  { return c.dir }
func (c *Cluster) State() State { return *c.state }

// Kubeconfig is a file whose one context may do everything. Its address exists in the cluster's network namespace only.
func (c *Cluster) Kubeconfig() string { return filepath.Join(c.dir, "kubeconfig") }

// Namespace is the network namespace's file, for nsenter --net.
func (c *Cluster) Namespace() string { return namespaceFile(c.state.Name) }

// GatewayURL is where users' requests go, inside the network namespace.
func (c *Cluster) GatewayURL() string {
	return "http://" + net.JoinHostPort(nodeAddress, strconv.Itoa(c.state.NodePort))
}

// Command is a program run inside the cluster's network namespace, with KUBECONFIG set and the run's programs first on PATH.
// Everything else (files, process ids, the terminal) is the caller's.
func (c *Cluster) Command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "nsenter", append([]string{"--net=" + c.Namespace(), "--", program}, args...)...)
	cmd.Env = append(cmd.Environ(), "KUBECONFIG="+c.Kubeconfig(),
		"PATH="+c.state.Programs+":"+os.Getenv("PATH"))
	return cmd
}

// Crash kills a container's processes where they stand, without the kubelet's knowledge. The container is named as a pod's
// status names it: containerd://ID.
func (c *Cluster) Crash(ctx context.Context, container string) error {
	ctr := exec.CommandContext(ctx, "ctr", "--address", socket(c.dir), "--namespace", "k8s.io", "tasks", "kill", "--all",
		"--signal", "SIGKILL", strings.TrimPrefix(container, "containerd://"))
	if out, err := ctr.CombinedOutput(); err != nil {
		return fmt.Errorf("killing %s: %w: %s", container, err, out)
	}
	return nil
}

// Program is the path of one of the programs of the run.
func (c *Cluster) Program(name string) string { return filepath.Join(c.state.Programs, name) }

// DialContext opens a connection from inside the cluster's network namespace; the address must be a literal one, since a
// name would be looked up by other threads.
//
// A socket belongs for ever to the network namespace that its thread was in when it was made. So this goroutine keeps its
// thread to itself, enters, dials and goes back. A thread that cannot go back is not given back either: it would take
// others' sockets into the cluster.
func (c *Cluster) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	type result struct {
		conn net.Conn
		err  error
	}
	dialed := make(chan result, 1)
	go func() {
		runtime.LockOSThread()
		home, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err == nil {
			defer unix.Close(home)
			err = enter(c.Namespace())
		}
		if err != nil { // the thread is where it was
			runtime.UnlockOSThread()
			dialed <- result{nil, err}
			return
		}
		var dialer net.Dialer
		conn, err := dialer.DialContext(ctx, network, address)
		if unix.Setns(home, unix.CLONE_NEWNET) == nil {
			runtime.UnlockOSThread()
		}
		dialed <- result{conn, err}
	}()
	r := <-dialed
	return r.conn, r.err
}

// enter moves the calling thread into the network namespace.
func enter(file string) error {
	fd, err := unix.Open(file, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("opening %s: %w", file, err)
	}
	defer unix.Close(fd)
	if err := unix.Setns(fd, unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("entering %s: %w", file, err)
	}
	return nil
}

// REST is how to reach the API server from anywhere on this machine.
func (c *Cluster) REST() (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", c.Kubeconfig())
	if err != nil {
		return nil, err
	}
	config.Dial, config.QPS = c.DialContext, -1
	return config, nil
}

// Client is a client of the API server that may do everything.
func (c *Cluster) Client() (kubernetes.Interface, error) {
	config, err := c.REST()
	if err != nil {
		return nil, err
	}
	return kubernetes.NewForConfig(config)
}
