//go:build unix

package plugintest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// between puts a handler between clients and the API server that a kubeconfig leads to. dir takes the kubeconfig that leads to the
// handler; wrap gets what passes a request on.
func between(direct, dir string, wrap func(forward http.Handler) http.Handler) (kubeconfig string, server *httptest.Server, err error) {
	raw, err := clientcmd.LoadFromFile(direct)
	if err != nil {
		return "", nil, err
	}
	config, err := clientcmd.BuildConfigFromFlags("", direct)
	if err != nil {
		return "", nil, err
	}
	target, err := url.Parse(config.Host)
	if err != nil {
		return "", nil, err
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ErrorLog = discard
	if proxy.Transport, err = rest.TransportFor(&rest.Config{Host: config.Host, TLSClientConfig: config.TLSClientConfig}); err != nil {
		return "", nil, err
	}
	server = httptest.NewTLSServer(wrap(proxy)) // client-go sends a token only over TLS
	server.Config.ErrorLog = discard
	for _, cluster := range raw.Clusters {
		cluster.Server, cluster.CertificateAuthorityData = server.URL, authority(server)
	}
	kubeconfig = filepath.Join(dir, "indirect.kubeconfig")
	return kubeconfig, server, clientcmd.WriteToFile(*raw, kubeconfig)
}

// request is one request to the API server as a proxy saw it.
type request struct {
	Method, URI string
	Began, End  time.Time
	Status      int
}

func (r request) String() string { return fmt.Sprintf("%s %s", r.Method, r.URI) }

// spy is the API server behind a proxy that notes what is asked; kubeconfig leads there. meddle, if there is one, is called
// before each request is passed on.
func spy(t testing.TB, meddle func(*http.Request)) (kubeconfig string, asked func() []request) {
	t.Helper()
	var mutex sync.Mutex // guards list
	var list []request
	kubeconfig, server, err := between(shared.Kubeconfig(), t.TempDir(), func(forward http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mutex.Lock()
			i := len(list)
			list = append(list, request{Method: r.Method, URI: r.URL.RequestURI(), Began: time.Now()})
			mutex.Unlock()
			if meddle != nil {
				meddle(r)
			}
			answer := &noted{ResponseWriter: w}
			forward.ServeHTTP(answer, r)
			mutex.Lock()
			list[i].End, list[i].Status = time.Now(), answer.status
			mutex.Unlock()
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return kubeconfig, func() []request {
		mutex.Lock()
		defer mutex.Unlock()
		return slices.Clone(list)
	}
}

// noted remembers the status of an answer.
type noted struct {
	http.ResponseWriter
	status int
}

func (n *noted) WriteHeader(status int) {
	n.status = status
	n.ResponseWriter.WriteHeader(status)
}

// Unwrap lets the proxy flush, and upgrade the connection of a port-forward.
func (n *noted) Unwrap() http.ResponseWriter { return n.ResponseWriter }
