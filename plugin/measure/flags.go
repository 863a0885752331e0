package measure

import (
	"errors"

	"github.com/spf13/pflag"

	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/verify"
	"github.com/mesh-split/mesh-split/verify/cli"
	"github.com/mesh-split/mesh-split/verify/fault"
)

// Flags are what a person says about the load, as raw text.
type Flags struct {
	cli.LoadFlags
	URL        string // the request as users write it, in place of host and path
	Address    string
	AllowFault bool

	inject bool // --identify inject
}

// Config is that of the load, once --identify inject, which needs a cluster, is taken out.
func (f *Flags) Config() (verify.Config, error) {
	f.inject = f.TakeIdentify("inject") || f.inject
	c, err := f.LoadFlags.Config()
	if err == nil && f.URL != "" {
		p, urlErr := f.asked()
		c.Host, err = p.Host, urlErr
	}
	return c, err
}

// Path is the path and query asked for, or empty.
func (f *Flags) Path() (string, error) {
	if f.URL == "" {
		return f.LoadFlags.Path()
	}
	p, err := f.asked()
	if p.Query != "" {
		p.Path += "?" + p.Query
	}
	return p.Path, err
}

// asked is the request of --url.
func (f *Flags) asked() (route.Probe, error) {
	p, err := route.ParseProbe(f.URL)
	if err != nil {
		return p, fault.Usagef("write it as users do: --url http://shop.example.com/api", "--url: %w", err)
	}
	return p, nil
}

// AddFlags declares them.
func (f *Flags) AddFlags(fs *pflag.FlagSet) {
	f.LoadFlags.AddFlags(fs)
	fs.Lookup("identify").Usage = "where a reply names its version: header:NAME, json:/POINTER, body:/RE/, status, or inject: let the gateways set a response header while it is measured (default: found by looking)"
	fs.Lookup("confidence").Usage = "of the verdict, and of several routes' verdicts together; 1 minus it is the probability of a wrong one"
	fs.Lookup("host").Usage = "Host header, and the name a certificate must show (default: the object's only exact host)"
	fs.Lookup("path").Usage = "path and query to request (default: what the entry's match asks for, like its headers)"
	fs.StringVar(&f.URL, "url", "", "the request as users write it, in place of --host and --path: it chooses the entry, and goes to the gateways' own address")
	fs.BoolVar(&f.AllowFault, "allow-fault", false, "measure a route that injects aborts all the same: they count as without a version")
	fs.StringVar(&f.Address, "address", "", "send the load to this URL instead of the address found in the cluster")
}

// Validate reports every wrong flag, without I/O but for the files they name.
func (f *Flags) Validate() error {
	_, err := f.Config()
	path, pathErr := f.LoadFlags.Path()
	err = errors.Join(err, pathErr)
	if f.URL != "" {
		if own, ownErr := f.LoadFlags.Config(); ownErr == nil && own.Host != "" || path != "" {
			err = errors.Join(err, fault.Usagef("leave out one of them", "--url says host and path, and so do --host, --path, --request and --grpc"))
		}
	}
	if f.Address != "" {
		if _, addressErr := mesh.ParseAddress(f.Address); addressErr != nil {
			err = errors.Join(err, addressErr)
		}
	}
	return err
}
