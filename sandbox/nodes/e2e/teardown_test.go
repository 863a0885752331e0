//go:build linux

package e2e

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/mesh-split/mesh-split/sandbox/nodes"
)

// traces are by what a cluster could be found on the machine.
type traces struct {
	dir, name  string
	namespaces map[string]string // kind of namespace -> the kernel's name of it
	links      int               // network interfaces of the machine before it started
}

// tracesOf notes the namespaces of a running cluster.
func tracesOf(t *testing.T, c *nodes.Cluster, links int) traces {
	t.Helper()
	tr := traces{dir: c.Dir(), name: c.State().Name, namespaces: map[string]string{}, links: links}
	for _, kind := range []string{"pid", "net", "mnt"} {
		link, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", c.State().Init.PID, kind))
		if err != nil {
			t.Fatal(err)
		}
		tr.namespaces[kind] = link
	}
	return tr
}

// gone fails the test if something is still there of the cluster. Somebody else may have to wait for a dead process, so it
// looks again for some seconds.
func (tr traces) gone(t *testing.T, when string) {
	t.Helper()
	if !eventually(func() bool { return len(tr.left(t)) == 0 }) {
		t.Errorf("left after %s:\n%s", when, strings.Join(tr.left(t), "\n"))
	}
}

// left lists what is there of the cluster.
func (tr traces) left(t *testing.T) []string {
	t.Helper()
	var found []string
	for kind, name := range tr.namespaces {
		holders, _ := filepath.Glob("/proc/[0-9]*/ns/" + kind)
		for _, holder := range holders {
			if link, err := os.Readlink(holder); err == nil && link == name {
				found = append(found, "process in its namespace: "+holder)
			}
		}
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, tr.dir) || strings.Contains(line, "/netns/"+tr.name+" ") {
			found = append(found, "mount: "+strings.TrimSpace(line))
		}
	}
	groups, _ := filepath.Glob("/sys/fs/cgroup/*/mesh-split-" + tr.name)
	top, _ := filepath.Glob("/sys/fs/cgroup/mesh-split-" + tr.name)
	for _, path := range append(append(groups, top...), tr.dir, "/run/netns/"+tr.name) {
		if _, err := os.Lstat(path); err == nil {
			found = append(found, path)
		}
	}
	if now := links(t); now != tr.links {
		found = append(found, fmt.Sprintf("network interfaces: %d, were %d", now, tr.links))
	}
	return found
}

func links(t *testing.T) int {
	t.Helper()
	all, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// crash kills the first process of a cluster, as the kernel would when memory runs out, and wants Down to leave nothing.
func crash(t *testing.T, c *nodes.Cluster, before int) {
	tr := tracesOf(t, c, before)
	if found := tr.left(t); len(found) < 20 { // else the check below proves nothing
		t.Errorf("of a running cluster only %d traces were found: %v", len(found), found)
	}
	if err := c.State().Init.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := nodes.Down(context.Background(), c.Dir()); err != nil {
		t.Error(err)
	}
	tr.gone(t, "a crash and Down")
	if err := nodes.Down(context.Background(), c.Dir()); err != nil {
		t.Errorf("Down of nothing: %v", err)
	}
}

// `nodes up` itself is killed when the node has just been started and nobody has waited for anything.
func TestDownAfterStartWasKilled(t *testing.T) {
	if os.Getenv("MESH_SPLIT_E2E") != "1" {
		t.Skip(skipped)
	}
	name, before := fmt.Sprintf("e2e-cut-%d", os.Getpid()), links(t)
	up := exec.Command(filepath.Join(repository(t), "bin", "nodes"), "up", "--name", name, "--repository", repository(t))
	lock, err := os.CreateTemp(t.TempDir(), "lock")
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	up.ExtraFiles = []*os.File{lock} // as flock(1) does; the node must not hold it for as long as it lives
	stderr, err := up.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nodes.Down(context.Background(), nodes.DefaultDir(name)) })
	if err := up.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(stderr).ReadString('\n')
	if !strings.Contains(line, "✓ node") {
		t.Errorf("first line: %q", line)
	}
	up.Process.Kill()
	up.Wait()
	c, err := nodes.Attach(nodes.DefaultDir(name))
	if err != nil {
		t.Fatal(err)
	}
	if !eventually(func() bool { return !holds(c.State().Init.PID, lock.Name()) }) {
		t.Errorf("the node holds %s, which whoever started it had open", lock.Name())
	}
	tr := tracesOf(t, c, before)
	if found := tr.left(t); len(found) == 0 {
		t.Error("no traces of the node that was started")
	}
	if err := nodes.Down(context.Background(), c.Dir()); err != nil {
		t.Error(err)
	}
	tr.gone(t, "Down")
}

// holds says whether a process has a file open.
func holds(pid int, file string) bool {
	open, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	for _, fd := range open {
		if name, err := os.Readlink(fd); err == nil && name == file {
			return true
		}
	}
	return false
}
