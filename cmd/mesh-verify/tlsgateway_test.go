package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mesh-split/mesh-split/verify"
)

// tlsgateway is a gateway that shows a certificate for a name, made by the authority in ca.pem, and answers whoever asks for
// the server name $SNI only, if that is set: tlsgateway VERSION NAME [http2] [expired]. Every reply names the version.
func tlsgateway(ts *testscript.TestScript, neg bool, args []string) {
	split, err := verify.ParseSplit(args[0] + "=1")
	ts.Check(err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	now := time.Now()
	leaf := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "gateway"}, DNSNames: []string{args[1]},
		NotBefore: now.Add(-2 * time.Hour), NotAfter: now.Add(time.Hour), BasicConstraintsValid: true, IsCA: true}
	if slices.Contains(args, "expired") {
		leaf.NotAfter = now.Add(-time.Hour)
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, leaf, &key.PublicKey, key)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("ca.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-App-Version", split.Names()[0])
	}))
	server.EnableHTTP2 = slices.Contains(args, "http2")
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes fail on purpose
	sni := ts.Getenv("SNI")
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			if sni != "" && hello.ServerName != sni {
				return nil, fmt.Errorf("no certificate for server name %q", hello.ServerName)
			}
			return nil, nil
		}}
	server.StartTLS()
	ts.Defer(server.Close)
	ts.Setenv("GATEWAY", server.URL)
	ts.Setenv("GATEWAY_ADDRESS", server.Listener.Addr().String())
}
