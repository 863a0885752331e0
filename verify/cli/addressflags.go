package cli

import (
	"net"
	"net/url"
	"strings"

	"github.com/spf13/pflag"

	"github.com/mesh-split/mesh-split/verify/fault"
)

// AddressFlags say where to connect instead of to the URL's host, with curl's names and forms. Host header and the name
// that a certificate must show stay those of the URL.
type AddressFlags struct{ resolve, connectTo []string }

// AddFlags declares the flags.
func (f *AddressFlags) AddFlags(fs *pflag.FlagSet) {
	fs.StringArrayVar(&f.resolve, "resolve", nil, "HOST:PORT:ADDRESS[,ADDRESS]: connect there for that host and port, instead of asking the name server")
	fs.StringArrayVar(&f.connectTo, "connect-to", nil, "HOST:PORT:HOST2:PORT2: connect to HOST2:PORT2 instead; an empty HOST or PORT fits any")
}

// Addresses are where to connect for a URL, nil for the URL's own host. A flag that fits another host than the URL's would
// change nothing, and is an error.
func (f *AddressFlags) Addresses(address string) ([]string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || len(f.resolve) == 0 && len(f.connectTo) == 0 {
		return nil, nil // what is wrong with the URL is said elsewhere
	}
	host, port := u.Hostname(), u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	// connect-to comes before resolve, and what it gives may be resolved: as in curl.
	for _, term := range f.connectTo {
		const hint = "write --connect-to HOST:PORT:HOST2:PORT2"
		words, ok := fields(term, 4)
		if !ok {
			return nil, fault.Usagef(hint, "--connect-to %q is not HOST:PORT:HOST2:PORT2", term)
		}
		if words[0] != "" && !strings.EqualFold(words[0], host) || words[1] != "" && words[1] != port {
			return nil, fault.Usagef(hint, "--connect-to %q is not for %s:%s", term, host, port)
		}
		if words[2] != "" {
			host = words[2]
		}
		if words[3] != "" {
			port = words[3]
		}
	}
	var addresses []string
	for _, term := range f.resolve {
		const hint = "write --resolve HOST:PORT:ADDRESS"
		words, ok := fields(term, 3)
		if !ok {
			return nil, fault.Usagef(hint, "--resolve %q is not HOST:PORT:ADDRESS", term)
		}
		if !strings.EqualFold(words[0], host) || words[1] != port {
			return nil, fault.Usagef(hint, "--resolve %q is not for %s:%s", term, host, port)
		}
		for _, ip := range strings.Split(words[2], ",") {
			ip = strings.Trim(ip, "[]")
			if net.ParseIP(ip) == nil {
				return nil, fault.Usagef(hint, "--resolve %q: %q is no IP address", term, ip)
			}
			addresses = append(addresses, net.JoinHostPort(ip, port))
		}
	}
	if addresses == nil {
		addresses = []string{net.JoinHostPort(host, port)}
	}
	return addresses, nil
}

// fields splits at colons outside of brackets, and takes the brackets of IPv6 addresses off. The last field of three may
// hold colons of its own.
func fields(term string, n int) ([]string, bool) {
	var words []string
	depth, from := 0, 0
	for i, c := range term {
		switch {
		case c == '[':
			depth++
		case c == ']':
			depth--
		case c == ':' && depth == 0 && (n != 3 || len(words) < 2):
			words, from = append(words, term[from:i]), i+1
		}
	}
	words = append(words, term[from:])
	if n != 3 {
		for i := range words {
			words[i] = strings.Trim(words[i], "[]")
		}
	} else if len(words) == 3 {
		words[0] = strings.Trim(words[0], "[]")
	}
	return words, len(words) == n
}
