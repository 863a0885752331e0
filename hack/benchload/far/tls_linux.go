package far

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/hex"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"syscall"
	"time"
)

// authority makes a certificate for 127.0.0.1 that is its own authority, and writes it to a file.
func authority(file string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "benchload"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(30 * 24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, os.WriteFile(file, text, 0o600)
}

// secrets takes the traffic secrets of the handshake under way, as a key log writes them.
type secrets struct{ client, server []byte }

func (s *secrets) config(c tls.Certificate) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{c}, MinVersion: tls.VersionTLS13, NextProtos: []string{"http/1.1"},
		SessionTicketsDisabled: true, KeyLogWriter: s} // a ticket would be a record that is not ours
}

// Write reads a line of the key log: LABEL RANDOM SECRET.
func (s *secrets) Write(line []byte) (int, error) {
	fields := bytes.Fields(line)
	if len(fields) == 3 {
		secret, err := hex.DecodeString(string(fields[2]))
		if err != nil {
			return 0, err
		}
		switch string(fields[0]) {
		case "CLIENT_TRAFFIC_SECRET_0":
			s.client = secret
		case "SERVER_TRAFFIC_SECRET_0":
			s.server = secret
		}
	}
	return len(line), nil
}

// handshake greets the client and waits for it; nil if that fails. The loop stands still meanwhile: connections are opened
// before anything is measured.
func (s *secrets) handshake(fd int, config *tls.Config) *records {
	_ = syscall.SetNonblock(fd, false)
	_ = syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &syscall.Timeval{Sec: 5})
	c := tls.Server(&byRecord{fd: fd}, config)
	if err := c.Handshake(); err != nil || c.ConnectionState().CipherSuite != tls.TLS_AES_128_GCM_SHA256 {
		return nil
	}
	_ = syscall.SetNonblock(fd, true)
	return &records{in: newHalf(s.client), out: newHalf(s.server)}
}

// byRecord lets crypto/tls read no further than the record it asks for: what follows the handshake is the loop's.
type byRecord struct {
	net.Conn // nil: nothing else of it is called
	fd       int
	left     int // of the record being read
}

func (b *byRecord) Read(p []byte) (int, error) {
	if b.left == 0 {
		var head [5]byte
		n, _, err := syscall.Recvfrom(b.fd, head[:], syscall.MSG_PEEK|syscall.MSG_WAITALL)
		if err != nil || n < len(head) {
			return 0, io.ErrUnexpectedEOF
		}
		b.left = len(head) + int(binary.BigEndian.Uint16(head[3:]))
	}
	n, err := syscall.Read(b.fd, p[:min(len(p), b.left)])
	if err != nil || n == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	b.left -= n
	return n, nil
}

func (b *byRecord) Write(p []byte) (int, error)      { return syscall.Write(b.fd, p) }
func (b *byRecord) Close() error                     { return nil }
func (b *byRecord) SetWriteDeadline(time.Time) error { return nil }

// records are the two directions of a TLS 1.3 connection after its handshake (RFC 8446, 5.2).
type records struct{ in, out *half }

type half struct {
	aead  cipher.AEAD
	iv    [12]byte
	nonce [12]byte
	next  uint64
	buf   []byte
}

func newHalf(secret []byte) *half {
	block, err := aes.NewCipher(expand(secret, "key", 16))
	if err != nil {
		panic(err) // only for a length that is not 16
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return &half{aead: aead, iv: [12]byte(expand(secret, "iv", 12))}
}

// expand is HKDF-Expand-Label with an empty context (RFC 8446, 7.1).
func expand(secret []byte, label string, size int) []byte {
	label = "tls13 " + label
	info := string([]byte{0, byte(size), byte(len(label))}) + label + "\x00"
	out, err := hkdf.Expand(sha256.New, secret, info, size)
	if err != nil {
		panic(err) // only for sizes beyond 255 hashes
	}
	return out
}

// turn gives the nonce of the next record.
func (h *half) turn() []byte {
	h.nonce = h.iv
	binary.BigEndian.PutUint64(h.nonce[4:], binary.BigEndian.Uint64(h.iv[4:])^h.next)
	h.next++
	return h.nonce[:]
}

// The types of records.
const (
	alert       = 21
	application = 23
)

// seal makes one record of the octets; it is valid until the next call.
func (r *records) seal(octets []byte) []byte {
	h := r.out
	size := len(octets) + 1 + h.aead.Overhead()
	h.buf = append(h.buf[:0], application, 3, 3, byte(size>>8), byte(size))
	h.buf = append(append(h.buf, octets...), application)
	return h.aead.Seal(h.buf[:5], h.turn(), h.buf[5:], h.buf[:5])
}

// open answers what the whole records among the octets hold, and says how many octets these were. A request never spans
// two records here: no client of the benchmark does that.
func (l *loop) open(c *conn, octets []byte) (used int) {
	for !c.closed && len(octets)-used >= 5 {
		record := octets[used:]
		size := 5 + int(binary.BigEndian.Uint16(record[3:]))
		if len(record) < size {
			break
		}
		in := c.records.in
		text, err := in.aead.Open(record[5:5], in.turn(), record[5:size], record[:5])
		used += size
		if text = bytes.TrimRight(text, "\x00"); err != nil || len(text) == 0 || text[len(text)-1] == alert {
			l.drop(c)
			break
		}
		if text[len(text)-1] == application {
			l.requests(c, text[:len(text)-1])
		}
	}
	return used
}
