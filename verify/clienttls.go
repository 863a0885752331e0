package verify

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"strings"
)

// ClientTLS completes the user's settings for a host, which may have a port: that host is what the certificate must show, and
// what is asked for unless the settings ask for another ServerName. As with openssl s_client -servername, the name asked for
// chooses among certificates and vouches for none; crypto/tls alone would take it for both.
func ClientTLS(own *tls.Config, host string) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if own != nil {
		c = own.Clone()
	}
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	switch {
	case c.ServerName == "":
		c.ServerName = host
	case c.ServerName != host && !c.InsecureSkipVerify:
		c.InsecureSkipVerify = true // what it skips is done here, with the other name
		c.VerifyConnection = func(s tls.ConnectionState) error {
			o := x509.VerifyOptions{Roots: c.RootCAs, DNSName: host, Intermediates: x509.NewCertPool()}
			for _, between := range s.PeerCertificates[1:] {
				o.Intermediates.AddCert(between)
			}
			if _, err := s.PeerCertificates[0].Verify(o); err != nil {
				return &tls.CertificateVerificationError{UnverifiedCertificates: s.PeerCertificates, Err: err}
			}
			return nil
		}
	}
	return c
}
