package measure

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/mesh-split/mesh-split/verify"
	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/report"
	"github.com/mesh-split/mesh-split/verify/version"
)

// probes is how many requests ask an address who answers there. A few, so that a split shows more than one version; the
// measurement proper counts its own.
const probes = 4

// connectTime is how long an address may take to accept a connection before the next one is tried.
const connectTime = time.Second

// unreachable means that nothing answers at an address, so that the next one may be tried.
type unreachable struct{ error }

func (u unreachable) Unwrap() error { return u.error }

// probe asks the address of c and gives the heads of the replies. An unreachable address is an unreachable; every other
// error is the answer to what is wrong there.
func probe(ctx context.Context, c verify.Config) ([]http.Header, error) {
	client, addresses := prober(c)
	defer client.CloseIdleConnections()
	var heads []http.Header
	var status int
	for i := range probes {
		reply, err := ask(ctx, client, c, addresses[i%len(addresses)])
		if err != nil {
			return nil, diagnose(ctx, c, err)
		}
		status = reply.StatusCode
		if err := plausible(ctx, c, reply); err != nil {
			return nil, err
		}
		heads = append(heads, reply.Header)
	}
	if status >= 500 && len(namedIn(heads)) == 0 {
		return nil, fault.New(fault.Failed, "are the destinations healthy? kubectl get pods, endpoints",
			"%s answers %d %s and names no version", c.URL, status, http.StatusText(status)).Named("E_NO_VERSION")
	}
	return heads, nil
}

// prober makes a client that dials what ask chooses, follows nothing and keeps nothing.
func prober(c verify.Config) (*http.Client, []string) {
	u, _ := url.Parse(c.URL) // Site.at made it
	addresses := c.Addresses
	if len(addresses) == 0 {
		port := u.Port()
		if port == "" {
			port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
		}
		addresses = []string{net.JoinHostPort(u.Hostname(), port)}
	}
	settings := verify.ClientTLS(c.TLS, hostname(c.Host, u))
	protocols := new(http.Protocols)
	protocols.SetHTTP1(c.HTTP != verify.HTTP2)
	protocols.SetHTTP2(c.HTTP != verify.HTTP11)
	protocols.SetUnencryptedHTTP2(c.HTTP == verify.HTTP2)
	return &http.Client{
		Timeout: max(c.ReplyTimeout, connectTime),
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				to, _ := ctx.Value(dialKey{}).(string)
				return (&net.Dialer{Timeout: connectTime}).DialContext(ctx, network, to)
			},
			TLSClientConfig: settings, Protocols: protocols, DisableKeepAlives: true, DisableCompression: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, addresses
}

type dialKey struct{}

func hostname(host string, u *url.URL) string {
	if host == "" {
		return u.Hostname()
	}
	if h, _, err := net.SplitHostPort(host); err == nil {
		return h
	}
	return host
}

func ask(ctx context.Context, client *http.Client, c verify.Config, address string) (*http.Response, error) {
	method := c.Method
	if method == "" {
		method = http.MethodGet
	}
	request, err := http.NewRequestWithContext(context.WithValue(ctx, dialKey{}, address), method, c.URL, bytes.NewReader(c.Body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", "mesh-split/"+version.String())
	request.Header.Set("X-Mesh-Split-Run", c.RunID)
	for _, line := range c.Header {
		name, value, _ := strings.Cut(line, ":")
		request.Header.Set(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	if c.GRPC {
		request.Header.Set("Content-Type", "application/grpc")
		request.Header.Set("TE", "trailers")
	}
	request.Host = c.Host
	if own := request.Header.Get("Host"); own != "" {
		request.Host = own
	}
	reply, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer reply.Body.Close()
	_, err = io.Copy(io.Discard, io.LimitReader(reply.Body, 1<<20))
	return reply, err
}

// plausible holds a reply against what the gateway says when the request never reached a version.
func plausible(ctx context.Context, c verify.Config, reply *http.Response) error {
	host := c.Host
	if host == "" {
		u, _ := url.Parse(c.URL)
		host = u.Host
	}
	named := len(namedIn([]http.Header{reply.Header})) > 0
	switch {
	case reply.StatusCode == http.StatusNotFound && !named && reply.ContentLength == 0:
		return fault.New(fault.Failed, "name a host that the gateway serves with --host, and a path that is routed with --path",
			"the gateway at %s has no route for host %s: 404", c.URL, report.Safe(host)).Named("E_NO_ROUTE")
	case reply.StatusCode >= 300 && reply.StatusCode < 400 && reply.StatusCode != http.StatusNotModified && !named:
		to := report.Safe(reply.Header.Get("Location"))
		return fault.New(fault.Failed, "measure where it leads: --address, --host or --path", "%s redirects to %s", c.URL, to).Named("E_REDIRECTS")
	case reply.StatusCode == http.StatusBadRequest && !named && strings.HasPrefix(c.URL, "http://") && greetsTLS(ctx, c):
		return speaksTLS(c) // some servers do answer plain HTTP on a TLS port: 400
	}
	return nil
}

// namedIn are the version headers that occur at all.
func namedIn(heads []http.Header) []string {
	var list []string
	for _, h := range versionHeaders {
		if len(values(heads, h)) > 0 {
			list = append(list, h)
		}
	}
	return list
}

// diagnose says in the user's words why an exchange failed.
func diagnose(ctx context.Context, c verify.Config, err error) error {
	var notTLS tls.RecordHeaderError
	var certificate *tls.CertificateVerificationError
	var dial *net.OpError
	text := err.Error()
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &notTLS), strings.Contains(text, "server gave HTTP response to HTTPS client"):
		return fault.New(fault.Failed, "write --address "+strings.Replace(c.URL, "https://", "http://", 1), "%s speaks plain HTTP, not TLS", c.URL).Named("E_NOT_TLS")
	case errors.As(err, &certificate):
		return fault.New(fault.Failed, "trust its authority with --ca FILE, name it with --host, or accept anything with --insecure", "%s: %w", c.URL, cause(err)).Named("E_CERTIFICATE")
	case errors.As(err, &dial) && dial.Op == "dial":
		return unreachable{fmt.Errorf("%s: %w", c.URL, cause(err))}
	case strings.HasPrefix(c.URL, "http://") && greetsTLS(ctx, c):
		return speaksTLS(c)
	}
	return unreachable{fmt.Errorf("%s: %w", c.URL, cause(err))}
}

func speaksTLS(c verify.Config) error {
	return fault.New(fault.Failed, "write --address "+strings.Replace(c.URL, "http://", "https://", 1), "%s speaks TLS, not plain HTTP", c.URL).Named("E_TLS")
}

// greetsTLS tries a handshake where plain HTTP got no reply: a TLS listener just hangs up on it.
func greetsTLS(ctx context.Context, c verify.Config) bool {
	_, addresses := prober(c)
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	u, _ := url.Parse(c.URL)
	dialer := tls.Dialer{Config: &tls.Config{ServerName: hostname(c.Host, u), InsecureSkipVerify: true}} // only to see whether it is TLS
	conn, err := dialer.DialContext(ctx, "tcp", addresses[0])
	if err != nil {
		var alert tls.AlertError
		return errors.As(err, &alert) // a TLS speaker that wants something else of us
	}
	conn.Close()
	return true
}

// cause drops the "Get …:" that net/http puts before what happened.
func cause(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}
