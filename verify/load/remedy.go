package load

import "strings"

// remedies say what helps against a connection that does not come about, by what its error says; the first that fits. The
// texts are those of crypto/tls, crypto/x509 and this package: typed errors do not survive alerts from the far side, nor the
// way through counts.
var remedies = []struct{ says, remedy string }{
	{"expired or is not yet valid", "renew the certificate, or look at this machine's clock; --insecure accepts it"},
	{"unknown authority", "give the authority with --ca, or accept any with --insecure"},
	{"x509: certificate is valid for", "say whose certificate it must be with --host, or accept any with --insecure"},
	{"x509: certificate is not valid for any names", "say whose certificate it must be with --host, or accept any with --insecure"},
	{"x509: cannot validate certificate for", "say whose certificate it must be with --host, or accept any with --insecure"},
	{"x509: ", "look at the certificate, or accept any with --insecure"},
	{"first record does not look like a TLS handshake", "the port does not speak TLS: try http://"},
	{"no application protocol", "the far side speaks another version of HTTP: try --http auto"},
	{"does not choose HTTP/2 by ALPN", "write --http 1.1"},
	{"tls: certificate required", "give a client certificate with --cert and --key"},
	{"tls: bad certificate", "give the client certificate that the far side wants with --cert and --key"},
	{"tls: protocol version", "the far side wants another version of TLS; 1.2 and 1.3 are spoken here"},
	{"remote error: tls: ", "does the far side know that name (--host, --sni), and does it want a client certificate (--cert, --key)?"},
	{"ends connections before a request is sent", "does it speak TLS (https://), or want to know who connects (--proxy-protocol)?"},
	{"answers in HTTP/1", "write --http 1.1"},
	{"HTTP/2 settings", "does the port speak HTTP/2? try --http 1.1, or https:// where it speaks TLS"},
	{"does not speak HTTP/2", "does the port speak HTTP/2? try --http 1.1, or https:// where it speaks TLS"},
}

// Remedy says what helps when no connection comes about; o is TLSError or DialError, text the error of one.
func Remedy(o Outcome, text string) string {
	for _, r := range remedies {
		if strings.Contains(text, r.says) {
			return r.remedy
		}
	}
	if o == TLSError {
		return "check that the port speaks TLS, the name with --host and the authority with --ca"
	}
	return "check the address and the port, and that the gateway runs"
}
