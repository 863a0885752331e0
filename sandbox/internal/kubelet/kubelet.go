// Package kubelet is the sandbox's node: the endpoints of a kubelet that `kubectl port-forward` needs, and `kubectl exec` for the
// one command that asks a gateway's Envoy.
//
// It answers "which loopback port is port P of pod NAME?" and streams with Kubernetes' own library, so that a client's
// port-forward travels the whole real way: client, API server, node, pod. It refuses everything else a kubelet does; pods
// here are processes that somebody else started, and hold no programs: exec.go stands for pilot-agent. The subtle point is HTTP/1.1 only: the streams (SPDY) begin with an
// upgrade of the connection, which HTTP/2 does not have.
package kubelet

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"k8s.io/cri-streaming/pkg/streaming/portforward"
)

// Target names a port of a pod.
type Target struct {
	Namespace, Pod string
	Port           int32
}

// Resolve turns a pod's port into the loopback address that serves it; false means that nothing listens there.
type Resolve func(Target) (address string, ok bool)

// Times of the kubelet: --streaming-connection-idle-timeout and the creation timeout of its streaming library.
const (
	idleTimeout     = 4 * time.Hour
	creationTimeout = 30 * time.Second
)

// Handler serves /portForward/NAMESPACE/POD and /exec/NAMESPACE/POD/CONTAINER.
func Handler(resolve Resolve) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/portForward/{namespace}/{pod}", func(w http.ResponseWriter, r *http.Request) {
		namespace, pod := r.PathValue("namespace"), r.PathValue("pod")
		options, err := portforward.NewV4Options(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		f := forwarder{namespace: namespace, resolve: resolve}
		portforward.ServePortForward(w, r, f, pod, "", options, idleTimeout, creationTimeout, portforward.SupportedProtocols)
	})
	mux.HandleFunc("/exec/{namespace}/{pod}/{container}", serveExec(resolve))
	return mux
}

// Serve serves the handler on the listener until ctx ends. Only the API server may ask: it shows a certificate that
// clients has signed, as a real kubelet demands.
func Serve(ctx context.Context, listener net.Listener, certificate tls.Certificate, clients *x509.CertPool, handler http.Handler) error {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	server := &http.Server{Handler: handler, Protocols: protocols, ReadHeaderTimeout: 10 * time.Second,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12,
			ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients}}
	defer context.AfterFunc(ctx, func() { server.Close() })()
	err := server.ServeTLS(listener, "", "")
	if ctx.Err() != nil {
		return nil
	}
	return err
}

type forwarder struct {
	namespace string
	resolve   Resolve
}

var _ portforward.PortForwarder = forwarder{}

// PortForward joins the stream with the pod's port until one side ends.
func (f forwarder) PortForward(ctx context.Context, pod, _ string, port int32, stream io.ReadWriteCloser) error {
	address, ok := f.resolve(Target{f.namespace, pod, port})
	if !ok {
		return fmt.Errorf("pod %s/%s has no port %s", f.namespace, pod, strconv.Itoa(int(port)))
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		io.Copy(conn, stream)            // an error means that the client is gone
		conn.(*net.TCPConn).CloseWrite() // the client has said everything; the answer may still come
	}()
	_, err = io.Copy(stream, conn)
	stream.Close() // lets the other direction end
	<-sent
	return err
}
