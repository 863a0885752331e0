//go:build linux

package nodes

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// daemon is one program that the first process starts, and starts again when it ends.
type daemon struct {
	Name string   `json:"name"` // of its log, DIR/log/NAME.log
	Args []string `json:"args"` // with the program
	Env  []string `json:"env,omitempty"`
}

// planFile is what the first process reads: the daemons.
const planFile = "daemons.json"

// restartPause is between the end of a daemon and its next start: etcd may still come up when the API server first looks.
const restartPause = time.Second

// Init is the life of the first process of the namespaces. It waits for the word "go" on stdin, so that nothing starts
// before the caller has written down whom to kill; an end of stdin without it means that the caller is gone. Then it sets up
// the mounts, starts the daemons of the plan and from there on reaps processes, as the first process of a process
// namespace must. It returns only with an error, and its end ends everything in the namespaces.
func Init(dir string, stdin io.Reader) error {
	if err := closeInherited(); err != nil {
		return err
	}
	word, _ := bufio.NewReader(stdin).ReadString('\n')
	if strings.TrimSpace(word) != "go" {
		return errors.New("not told to go")
	}
	if err := mounts(dir); err != nil {
		return err
	}
	if err := unix.Sethostname([]byte(nodeName)); err != nil {
		return err
	}
	if err := network(); err != nil {
		return err
	}
	data, err := os.ReadFile(filepath.Join(dir, planFile))
	if err != nil {
		return err
	}
	var plan []daemon
	if err := json.Unmarshal(data, &plan); err != nil {
		return err
	}
	return reap(dir, plan)
}

// closeInherited closes what the caller's caller had open, such as the lock under which it ran `nodes up`: it would be held
// for as long as the node lives. What is our own is closed on exec, and so told apart.
func closeInherited() error {
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, entry := range open {
		fd, err := strconv.Atoi(entry.Name())
		if err != nil || fd <= 2 {
			continue
		}
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			unix.Close(fd)
		}
	}
	return nil
}

// mounts gives the node its own view of the few folders whose names programs hold in their code: nothing of the machine's
// own containerd or CNI is seen, and nothing is left there. Mounts are private to the node and vanish with it.
func mounts(dir string) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("making mounts private: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mounting /proc: %w", err)
	}
	if err := unix.Mount("tmpfs", "/run", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755"); err != nil {
		return fmt.Errorf("mounting /run: %w", err)
	}
	for from, to := range map[string]string{"var-log": "/var/log", "var-lib-cni": "/var/lib/cni"} {
		from = filepath.Join(dir, from)
		for _, folder := range []string{from, to} {
			if err := os.MkdirAll(folder, 0o755); err != nil {
				return err
			}
		}
		if err := unix.Mount(from, to, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mounting %s on %s: %w", from, to, err)
		}
	}
	// Pods may ask for mounts that follow the host's, which the runtime allows only below shared mounts.
	return unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, "")
}

// reap starts the daemons and waits for all children, own and adopted, for ever. Here, os/exec must not be used: it waits
// for its children itself.
func reap(dir string, plan []daemon) error {
	var mu sync.Mutex // held from a daemon's start until it is in running, so that its end cannot be seen before
	running := map[int]daemon{}
	launch := func(d daemon) error {
		mu.Lock()
		defer mu.Unlock()
		pid, err := d.start(dir)
		if err == nil {
			running[pid] = d
		}
		return err
	}
	for _, d := range plan {
		if err := launch(d); err != nil {
			return err
		}
	}
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		if errors.Is(err, syscall.ECHILD) { // all daemons are between two lives
			time.Sleep(restartPause / 10)
		}
		if err != nil {
			continue
		}
		mu.Lock()
		d, ok := running[pid]
		delete(running, pid)
		mu.Unlock()
		if !ok {
			continue
		}
		fmt.Fprintf(os.Stderr, "%s ended (exit %d, signal %v), starting it again\n", d.Name, status.ExitStatus(), status.Signal())
		time.AfterFunc(restartPause, func() {
			if err := launch(d); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
		})
	}
}

// start starts the daemon and returns its process id.
func (d daemon) start(dir string) (int, error) {
	log, err := os.OpenFile(filepath.Join(dir, "log", d.Name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	defer log.Close()
	program, err := exec.LookPath(d.Args[0])
	if err != nil {
		return 0, err
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	p, err := os.StartProcess(program, d.Args, &os.ProcAttr{Dir: "/", Env: append(os.Environ(), d.Env...),
		Files: []*os.File{null, log, log}, Sys: &syscall.SysProcAttr{Setsid: true}})
	if err != nil {
		return 0, fmt.Errorf("starting %s: %w", d.Name, err)
	}
	pid := p.Pid
	p.Release() // the reaper waits for it
	return pid, nil
}
