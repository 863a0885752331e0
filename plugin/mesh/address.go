package mesh

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	core "k8s.io/api/core/v1"

	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/safe"
)

// Address is a place where load can go in.
type Address struct {
	URL       string   // scheme://host:port
	Addresses []string // host:port of every place that is meant, when there are several; else nil
	Reason    string   // which rung: "LoadBalancer ip", "hostIP + nodePort", …
	Warning   string   // what a measurement there cannot show, or ""

	// Open makes the address answer, where it takes more than to connect; nil else. Close the closer when done.
	Open func(context.Context) (Address, io.Closer, error)
}

// ParseAddress reads --address: a URL, or host:port that means plain HTTP.
func ParseAddress(text string) (Address, error) {
	const hint = "write it as --address http://HOST:PORT"
	if !strings.Contains(text, "://") {
		if host, port, err := net.SplitHostPort(text); err == nil && host != "" && port != "" {
			text = "http://" + text
		}
	}
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil {
		return Address{}, fault.Usagef(hint, "address: %s is not an http or https address", safe.URL(text))
	}
	return Address{URL: text, Reason: "--address"}, nil
}

// Addresses are the places where load could go in, best first: what users themselves come through before what is a detour.
// The order: what a Gateway of the Gateway API says of itself, load balancer, node port, ClusterIP (in a pod only), and at last a
// port-forward to one pod. None of them has been tried.
func (c *Client) Addresses(g *Gateways) []Address {
	var list []Address
	scheme := map[bool]string{false: "http", true: "https"}[g.Server.TLS]
	add := func(reason string, hosts []string, port int32) {
		if len(hosts) == 0 || port == 0 {
			return
		}
		a := Address{Reason: reason}
		for _, h := range hosts {
			a.Addresses = append(a.Addresses, net.JoinHostPort(h, strconv.Itoa(int(port))))
		}
		a.URL = scheme + "://" + a.Addresses[0]
		if len(a.Addresses) == 1 {
			a.Addresses = nil
		}
		list = append(list, a)
	}
	for _, a := range g.outer() {
		add("status of the Gateway", []string{a}, int32(g.Server.Port))
	}
	for _, s := range g.services {
		port, ok := servicePort(s, g.Server)
		if !ok {
			continue
		}
		for _, ingress := range s.Status.LoadBalancer.Ingress {
			if ingress.IP != "" {
				add("LoadBalancer ip", []string{ingress.IP}, port.Port)
			} else if ingress.Hostname != "" {
				add("LoadBalancer hostname", []string{ingress.Hostname}, port.Port)
			}
		}
	}
	for _, s := range g.services {
		if port, ok := servicePort(s, g.Server); ok {
			add("hostIP + nodePort", g.hostIPs(), port.NodePort)
		}
	}
	for _, s := range g.services {
		if port, ok := servicePort(s, g.Server); ok && c.InCluster && s.Spec.ClusterIP != core.ClusterIPNone && s.Spec.ClusterIP != "" {
			add("ClusterIP", []string{s.Spec.ClusterIP}, port.Port)
		}
	}
	return append(list, c.throughForward(g, scheme))
}

// outer are the addresses in the Gateway's status that lead in from outside. Without a load balancer Istio writes the Service's
// ClusterIP there, or its name.
func (g *Gateways) outer() []string {
	return slices.DeleteFunc(slices.Clone(g.addresses), func(a string) bool {
		return strings.HasSuffix(a, ".svc") || strings.Contains(a, ".svc.") ||
			slices.ContainsFunc(g.services, func(s core.Service) bool { return slices.Contains(s.Spec.ClusterIPs, a) || s.Spec.ClusterIP == a })
	})
}

// hostIPs are the nodes of Ready gateway pods: with externalTrafficPolicy Local, each node leads to its own pods only.
func (g *Gateways) hostIPs() []string {
	var ips []string
	for _, p := range g.Ready() {
		if p.HostIP != "" && !slices.Contains(ips, p.HostIP) {
			ips = append(ips, p.HostIP)
		}
	}
	return ips
}

// throughForward is the last rung: one pod, through the API server.
func (c *Client) throughForward(g *Gateways, scheme string) Address {
	pod := g.Ready()[0]
	port := int(g.Server.Port)
	for _, s := range g.services {
		if p, ok := servicePort(s, g.Server); ok && p.TargetPort.IntValue() > 0 {
			port = p.TargetPort.IntValue()
			break
		}
	}
	a := Address{
		URL:     scheme + "://" + pod.Name,
		Reason:  fmt.Sprintf("port-forward to %s:%d", pod, port),
		Warning: "W_ONE_GATEWAY: only " + pod.String() + " is measured, through the API server: other gateways are not seen, and latencies are not the users'",
	}
	a.Open = func(ctx context.Context) (Address, io.Closer, error) {
		forward, err := c.Forward(ctx, pod)
		if err != nil {
			return Address{}, nil, err
		}
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			forward.Close()
			return Address{}, nil, fmt.Errorf("opening a local port: %w", err)
		}
		t := &tunnel{forward: forward, listener: listener, port: port}
		t.group.Go(t.serve)
		opened := a
		opened.URL, opened.Open = scheme+"://"+listener.Addr().String(), nil
		return opened, t, nil
	}
	return a
}

// tunnel leads connections to a local port through a Forward.
type tunnel struct {
	forward  *Forward
	listener net.Listener
	port     int
	group    sync.WaitGroup
}

func (t *tunnel) serve() {
	for {
		local, err := t.listener.Accept()
		if err != nil {
			return // closed
		}
		t.group.Go(func() { t.join(local) })
	}
}

// join copies both ways until one side ends, and then ends the other.
func (t *tunnel) join(local net.Conn) {
	defer local.Close()
	remote, err := t.forward.Dial(t.port)
	if err != nil {
		return // the caller sees a closed connection, which is what it is
	}
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(local, remote)
		local.Close()
	})
	_, _ = io.Copy(remote, local)
	remote.Close()
	back.Wait()
}

// Close ends the port and every connection through it.
func (t *tunnel) Close() error {
	t.listener.Close()
	err := t.forward.Close()
	t.group.Wait()
	return err
}
