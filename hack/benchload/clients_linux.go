package main

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/mesh-split/mesh-split/hack/benchload/far"
)

// protocol is what is spoken to the far side.
type protocol string

const (
	plainHTTP protocol = "http"
	overTLS   protocol = "tls"
	http2     protocol = "h2"
)

// streams is how many requests a connection of HTTP/2 carries at once.
const streams = 10

// job is what a client is asked to do. Zero fields are not asked for.
type job struct {
	far         far.Addresses
	protocol    protocol
	connections int
	time        time.Duration // 0: until it is killed
	requests    int
	rate        int // requests per second over all connections; 0: as fast as it can

	more   []string // arguments behind the usual ones
	before []string // a program to run it under
	env    []string
}

func (j *job) url() string {
	switch j.protocol {
	case overTLS:
		return "https://" + j.far.TLS + "/"
	case http2:
		return "http://" + j.far.H2 + "/"
	}
	return "http://" + j.far.Plain + "/"
}

// forever is for clients that must be told how long.
const forever = time.Hour

// duration is the time asked for in whole seconds, as wrk wants it.
func (j *job) duration() string {
	if j.time == 0 {
		return fmt.Sprintf("%.0fs", forever.Seconds())
	}
	return fmt.Sprintf("%.0fs", j.time.Seconds())
}

// arguments gives the command line of a client for a job, and what it reads from standard input.
func arguments(client string, j *job) (args []string, stdin string) {
	args, stdin = usual(client, j)
	if len(j.more) > 0 { // all but our own want the address last
		last := len(args) - 1
		args = append(append(args[:last:last], j.more...), args[last])
	}
	return args, stdin
}

func usual(client string, j *job) (args []string, stdin string) {
	n, d, url := strconv.Itoa(j.connections), j.duration(), j.url()
	switch client {
	case "epoll", "portable":
		return ours(j, "--engine", client), ""
	case "h2":
		return ours(j, "--http", "2", "--streams", strconv.Itoa(streams)), ""
	case "floor":
		_, port, _ := net.SplitHostPort(j.far.Plain)
		return []string{port, n}, ""
	case "wrk":
		return []string{"-t1", "-c" + n, "-d" + d, url}, ""
	case "h2load":
		args = []string{"-t1", "-c" + n, "-D" + strings.TrimSuffix(d, "s")}
		if j.requests > 0 {
			args[2] = "-n" + strconv.Itoa(j.requests)
		}
		if j.protocol == http2 {
			return append(args, "-m"+strconv.Itoa(streams), url), ""
		}
		return append(args, "--h1", url), ""
	case "fortio":
		args = []string{"load", "-qps", strconv.Itoa(j.rate), "-c", n, "-quiet", "-allow-initial-errors"}
		if j.protocol == overTLS {
			args = append(args, "-k")
		}
		return append(append(args, countOrTime(j, "-n", "-t", d)...), url), ""
	case "oha":
		if j.time > 0 {
			d = j.time.String()
		}
		args = []string{"--no-tui", "-c", n}
		if j.rate > 0 {
			args = append(args, "-q", strconv.Itoa(j.rate))
		}
		if j.protocol == overTLS {
			args = append(args, "--insecure")
		}
		return append(append(args, countOrTime(j, "-n", "-z", d)...), url), ""
	case "hey":
		args = []string{"-cpus", "1", "-c", n}
		if j.rate > 0 { // its -q is per worker
			args = append(args, "-q", strconv.FormatFloat(float64(j.rate)/float64(j.connections), 'f', -1, 64))
		}
		return append(append(args, countOrTime(j, "-n", "-z", d)...), url), ""
	case "vegeta":
		args = []string{"attack", "-rate", strconv.Itoa(j.rate), "-workers", n, "-max-workers", n, "-connections", n, "-duration", d}
		return args, "GET " + url + "\n"
	}
	panic("benchload: no client " + client)
}

// ours is the command line of mesh-verify. It is the whole program: labels read, histograms kept, evidence looked after.
func ours(j *job, engine ...string) []string {
	limit, rate := j.requests, "max"
	if limit == 0 {
		limit = 1e12
	}
	if j.rate > 0 {
		rate = strconv.Itoa(j.rate)
	}
	d := j.time
	if d == 0 {
		d = forever
	}
	args := append([]string{"load", j.url(), "-o", "json", "--rate", rate, "--connections", strconv.Itoa(j.connections),
		"--max-requests", strconv.Itoa(limit), "--max-time", d.String()}, engine...)
	if j.protocol == overTLS {
		args = append(args, "--ca", j.far.CA)
	}
	return args
}

func countOrTime(j *job, count, duration, d string) []string {
	if j.requests > 0 {
		return []string{count, strconv.Itoa(j.requests)}
	}
	return []string{duration, d}
}
