package cli

import (
	"errors"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/mesh-split/mesh-split/verify"
	"github.com/mesh-split/mesh-split/verify/fault"
)

// call makes the request a gRPC call with an empty message: five octets, that it is not compressed and 0 long.
// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
func (f *LoadFlags) call(c *verify.Config) error {
	if f.grpc == "" {
		return nil
	}
	if f.method != "" || f.data != "" || f.path != "" {
		return fault.Usagef("write --grpc=PACKAGE.SERVICE/METHOD alone", "--grpc says method, path and content; -X, -d and --path do too")
	}
	service, method, ok := strings.Cut(f.grpc, "/")
	if !ok || service == "" || method == "" || strings.ContainsAny(f.grpc, " \t?#") || strings.Contains(method, "/") {
		return fault.Usagef("write --grpc=grpc.health.v1.Health/Check, with the =", "--grpc %q is not PACKAGE.SERVICE/METHOD", f.grpc)
	}
	if !f.httpFlag.Changed {
		c.HTTP = verify.HTTP2 // gRPC is nothing else
	}
	c.GRPC, c.Method, c.Body = true, "POST", make([]byte, 5)
	return nil
}

// Path is the path and query asked for, or empty.
func (f *LoadFlags) Path() (string, error) {
	if f.grpc != "" {
		return "/" + f.grpc, nil
	}
	if err := f.readRequest(); err != nil {
		return "", err
	}
	if f.file != nil {
		return f.file.path, nil
	}
	if f.path != "" && !strings.HasPrefix(f.path, "/") {
		return "", fault.Usagef("write --path /"+f.path, "--path %q does not begin with a slash", f.path)
	}
	return f.path, nil
}

// WithPath is an address with another path and query, to the letter: two slashes at its beginning are no host, and dots
// are the far side's to resolve. An empty path leaves the address as it is.
func WithPath(u *url.URL, path string) (*url.URL, error) {
	to := *u
	if path == "" {
		return &to, nil
	}
	const hint = "write --path /PATH?QUERY, percent-encoded"
	from, err := url.Parse("http://host" + path) // behind an authority a path cannot be read as one
	var wrong *url.Error
	switch {
	case path[0] != '/':
		return nil, fault.Usagef(hint, "--path %q does not begin with a slash", path)
	case errors.As(err, &wrong):
		return nil, fault.Usagef(hint, "--path %q: %w", path, wrong.Err)
	case err != nil:
		return nil, fault.Usagef(hint, "--path %q: %w", path, err)
	case strings.Contains(path, "#"):
		return nil, fault.Usagef(hint, "--path %q: what follows # is never sent; a # of the path is %%23", path)
	}
	to.Path, to.RawPath, to.RawQuery, to.ForceQuery = from.Path, from.RawPath, from.RawQuery, from.ForceQuery
	to.Fragment, to.RawFragment = "", ""
	return &to, nil
}

func (f *LoadFlags) body() ([]byte, error) {
	name, isFile := strings.CutPrefix(f.data, "@")
	if !isFile {
		return []byte(f.data), nil
	}
	data, err := f.read(name)
	if err != nil {
		return nil, fault.Usagef("write -d @FILE, or -d @- for stdin", "reading the body: %w", err)
	}
	return data, nil
}

// read gives what a file holds, or stdin for "-", which can be read once while its content is asked for again and again.
func (f *LoadFlags) read(name string) (data []byte, err error) {
	switch {
	case name != "-":
		return os.ReadFile(name)
	case f.In == nil:
		return nil, errors.New("there is no stdin")
	case f.stdin == nil:
		f.stdin, err = io.ReadAll(f.In)
	}
	return f.stdin, err
}

// readRequest reads the file of --request, once.
func (f *LoadFlags) readRequest() (err error) {
	if f.requestFrom != "" && f.file == nil {
		f.file, err = f.readRequestFile(f.requestFrom)
	}
	return err
}

// fromFile makes the request that of the file.
func (f *LoadFlags) fromFile(c *verify.Config) error {
	if err := f.readRequest(); err != nil || f.file == nil {
		return err
	}
	if f.method != "" || f.data != "" || f.path != "" || f.grpc != "" {
		return fault.Usagef("write --request FILE alone, with -H for more", "--request says method, path and content; -X, -d, --path and --grpc do too")
	}
	c.Method, c.Body = f.file.method, f.file.body
	if c.Host == "" {
		c.Host = f.file.host
	}
	return nil
}
