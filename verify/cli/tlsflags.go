package cli

import (
	"crypto/tls"
	"crypto/x509"
	"os"

	"github.com/mesh-split/mesh-split/verify/fault"
)

func (f *LoadFlags) tls() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: f.sni, InsecureSkipVerify: f.insecure}
	if f.ca != "" {
		pem, err := os.ReadFile(f.ca)
		if err != nil {
			return nil, fault.Usagef("write --ca FILE, a PEM file of certificates that this user may read", "reading --ca: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fault.Usagef("it must be PEM", "--ca %s holds no certificate", f.ca)
		}
	}
	if (f.cert == "") != (f.key == "") {
		return nil, fault.Usagef("give both --cert and --key", "--cert and --key go together")
	}
	if f.cert != "" {
		pair, err := tls.LoadX509KeyPair(f.cert, f.key)
		if err != nil {
			return nil, fault.Usagef("write --cert FILE --key FILE, PEM files of a certificate and its key", "reading --cert and --key: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}
