package mesh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/httpstream"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
)

// Forward is a way through the API server to the ports of one pod, as kubectl port-forward builds it, but without a local
// port: connections are made in memory. It is safe for concurrent use.
type Forward struct {
	pod    Pod
	stream httpstream.Connection
	nextID atomic.Int64
}

// Forward opens the way to a pod. It takes the right to create pods/portforward (and to get it, which is how a WebSocket
// asks). Close it.
func (c *Client) Forward(ctx context.Context, pod Pod) (*Forward, error) {
	a := ask{"create", "pods/portforward", pod.Namespace, pod.Name}
	target := c.kube.CoreV1().RESTClient().Post().Resource("pods").Namespace(pod.Namespace).Name(pod.Name).SubResource("portforward").URL()
	dialer, err := c.dialer(target)
	if err != nil {
		return nil, c.explain(a, err)
	}
	// The dialer takes no context. Where ctx ends first, the goroutine lives on until the attempt ends by itself and
	// then closes what nobody wants any more.
	type answer struct {
		stream httpstream.Connection
		err    error
	}
	dialled := make(chan answer, 1)
	go func() {
		stream, _, err := dialer.Dial(portforward.PortForwardProtocolV1Name)
		dialled <- answer{stream, err}
	}()
	select {
	case got := <-dialled:
		if got.err != nil {
			// A refused upgrade is only text, with words about upgrades around what the API server said.
			if forbidden(got.err) {
				return nil, c.noRight(a, errors.New(refusal(got.err)))
			}
			return nil, c.explain(a, got.err)
		}
		return &Forward{pod: pod, stream: got.stream}, nil
	case <-ctx.Done():
		go func() {
			if late := <-dialled; late.err == nil {
				late.stream.Close()
			}
		}()
		return nil, ctx.Err()
	}
}

// dialer prefers a WebSocket, as kubectl does since 1.31, and falls back on SPDY for older servers and proxies.
func (c *Client) dialer(target *url.URL) (httpstream.Dialer, error) {
	transport, upgrader, err := spdy.RoundTripperFor(c.config)
	if err != nil {
		return nil, err
	}
	old := spdy.NewDialer(upgrader, &http.Client{Transport: transport}, http.MethodPost, target)
	websocket, err := portforward.NewSPDYOverWebsocketDialer(target, c.config)
	if err != nil {
		return nil, err
	}
	return portforward.NewFallbackDialer(websocket, old, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	}), nil
}

// Close ends every connection made through it.
func (f *Forward) Close() error { return f.stream.Close() }

// Dial connects to a port of the pod.
func (f *Forward) Dial(port int) (net.Conn, error) {
	header := http.Header{}
	header.Set(core.PortHeader, strconv.Itoa(port))
	header.Set(core.PortForwardRequestIDHeader, strconv.FormatInt(f.nextID.Add(1), 10))
	header.Set(core.StreamType, core.StreamTypeError)
	complaints, err := f.stream.CreateStream(header)
	if err != nil {
		return nil, fmt.Errorf("port-forward to %s: %w", f.pod, err)
	}
	complaints.Close() // we only read what the kubelet says there
	header.Set(core.StreamType, core.StreamTypeData)
	data, err := f.stream.CreateStream(header)
	if err != nil {
		f.stream.RemoveStreams(complaints)
		return nil, fmt.Errorf("port-forward to %s: %w", f.pod, err)
	}
	conn := &forwarded{forward: f, data: data, complaints: complaints}
	conn.listening.Go(conn.listen)
	return conn, nil
}

// forwarded is one connection through a Forward.
type forwarded struct {
	forward          *Forward
	data, complaints httpstream.Stream
	listening        sync.WaitGroup
	closing          sync.Once
	complaint        atomic.Pointer[string]
}

// listen waits for the kubelet's complaint, such as a refused connection, and ends the connection with it.
func (c *forwarded) listen() {
	text, _ := io.ReadAll(io.LimitReader(c.complaints, 4096))
	if len(text) > 0 {
		s := string(text)
		c.complaint.Store(&s)
		c.data.Reset()
	}
}

func (c *forwarded) Read(p []byte) (int, error) {
	n, err := c.data.Read(p)
	if err != nil {
		if s := c.complaint.Load(); s != nil {
			err = fmt.Errorf("port-forward to %s: %s", c.forward.pod, *s)
		}
	}
	return n, err
}

func (c *forwarded) Write(p []byte) (int, error) { return c.data.Write(p) }

func (c *forwarded) Close() error {
	c.closing.Do(func() {
		c.data.Close()
		c.data.Reset()
		c.complaints.Reset()
		c.forward.stream.RemoveStreams(c.data, c.complaints)
		c.listening.Wait()
	})
	return nil
}

// A stream has no addresses and no deadlines; http.Transport keeps its own timers and closes the connection instead.

func (c *forwarded) LocalAddr() net.Addr              { return podAddr(c.forward.pod.String()) }
func (c *forwarded) RemoteAddr() net.Addr             { return podAddr(c.forward.pod.String()) }
func (c *forwarded) SetDeadline(time.Time) error      { return errors.ErrUnsupported }
func (c *forwarded) SetReadDeadline(time.Time) error  { return errors.ErrUnsupported }
func (c *forwarded) SetWriteDeadline(time.Time) error { return errors.ErrUnsupported }

type podAddr string

func (podAddr) Network() string  { return "port-forward" }
func (a podAddr) String() string { return string(a) }
