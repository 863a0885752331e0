package cli

import (
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/mesh-split/mesh-split/verify/fault"
)

// Where to connect, in curl's words.
func TestAddresses(t *testing.T) {
	for _, row := range []struct {
		args, url string
		want      []string
		err       string
	}{
		{args: "", url: "http://shop.example/"},
		{args: "--resolve shop.example:80:10.0.0.7", url: "http://shop.example/", want: []string{"10.0.0.7:80"}},
		{args: "--resolve shop.example:443:10.0.0.7,10.0.0.8", url: "https://shop.example/", want: []string{"10.0.0.7:443", "10.0.0.8:443"}},
		{args: "--resolve shop.example:8080:[fd00::1]", url: "http://shop.example:8080/", want: []string{"[fd00::1]:8080"}},
		{args: "--resolve shop.example:8080:fd00::1", url: "http://shop.example:8080/", want: []string{"[fd00::1]:8080"}},
		{args: "--connect-to shop.example:80:gw.example:8080", url: "http://shop.example/", want: []string{"gw.example:8080"}},
		{args: "--connect-to ::gw.example:", url: "https://shop.example/", want: []string{"gw.example:443"}},
		{args: "--connect-to ::[fd00::1]:8080", url: "http://shop.example/", want: []string{"[fd00::1]:8080"}},
		{args: "--connect-to ::gw.example:8080 --resolve gw.example:8080:10.0.0.9", url: "http://shop.example/", want: []string{"10.0.0.9:8080"}},
		{args: "--resolve other.example:80:10.0.0.7", url: "http://shop.example/", err: "is not for shop.example:80"},
		{args: "--resolve shop.example:81:10.0.0.7", url: "http://shop.example/", err: "is not for shop.example:80"},
		{args: "--resolve shop.example:80:gw.example", url: "http://shop.example/", err: "no IP address"},
		{args: "--resolve shop.example:80", url: "http://shop.example/", err: "is not HOST:PORT:ADDRESS"},
		{args: "--connect-to shop.example:80:gw", url: "http://shop.example/", err: "is not HOST:PORT:HOST2:PORT2"},
		{args: "--connect-to other:80:gw:80", url: "http://shop.example/", err: "is not for"},
	} {
		var f AddressFlags
		fs := pflag.NewFlagSet("", pflag.ContinueOnError)
		f.AddFlags(fs)
		if err := fs.Parse(strings.Fields(row.args)); err != nil {
			t.Fatal(err)
		}
		got, err := f.Addresses(row.url)
		if !slices.Equal(got, row.want) || (err == nil) != (row.err == "") || err != nil && (!strings.Contains(err.Error(), row.err) || fault.ExitCode(err) != fault.Usage) {
			t.Errorf("%s %s: %q, %v; want %q, %q", row.args, row.url, got, err, row.want, row.err)
		}
	}
}

// A request as people keep it: what is counted or would break the counting is made anew.
func TestRequestFile(t *testing.T) {
	for _, row := range []struct {
		text, method, path, host, body, err string
		header                              []string
	}{
		{text: "GET / HTTP/1.1\nHost: a.example\nX-One: 1\n\n", method: "GET", path: "/", host: "a.example", header: []string{"X-One: 1"}},
		{text: "GET /x?y=1", method: "GET", path: "/x?y=1"},
		{text: "POST /cart HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\nConnection: close\r\nAccept-Encoding: gzip\r\n\r\n{\"id\":1}\n\nmore", method: "POST", path: "/cart",
			host: "a", body: "{\"id\":1}\n\nmore"},
		{text: "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n3\r\nabc\r\n0\r\n\r\n", err: "line 3: the content is in chunks"},
		{text: "GET / HTTP/1.1\nHost: a\nhost: b\n\n", err: "line 3 names the host a second time"},
		{text: "", err: "line 1"},
		{text: "GET http://a/ HTTP/1.1\n", err: "line 1"},
		{text: "GET / HTTP/1.1\nHost: a\nsecret without colon\n", err: "line 3"},
	} {
		file := filepath.Join(t.TempDir(), "request")
		if err := os.WriteFile(file, []byte(row.text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := new(LoadFlags).readRequestFile(file)
		if row.err != "" {
			if err == nil || !strings.Contains(err.Error(), row.err) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%q: %v, want an error with %q and nothing of the file", row.text, err, row.err)
			}
			continue
		}
		if err != nil || got.method != row.method || got.path != row.path || got.host != row.host || string(got.body) != row.body || !slices.Equal(got.header, row.header) {
			t.Errorf("%q: %+v, %v", row.text, got, err)
		}
	}
}

// A path is what stands in the request line, and never says where to connect.
func TestWithPath(t *testing.T) {
	for _, row := range []struct{ path, want, err string }{
		{path: "", want: "http://gw:8080/old?q=1"},
		{path: "/", want: "http://gw:8080/"},
		{path: "/x?a=b&c", want: "http://gw:8080/x?a=b&c"},
		{path: "/x?", want: "http://gw:8080/x?"},
		{path: "//127.0.0.2:9/x", want: "http://gw:8080//127.0.0.2:9/x"},
		{path: "/a/../b/./c", want: "http://gw:8080/a/../b/./c"}, // a gateway must decide as it does for its users
		{path: "/a%2Fb", want: "http://gw:8080/a%2Fb"},
		{path: "/@user:9/x", want: "http://gw:8080/@user:9/x"},
		{path: "/%zz", err: `invalid URL escape "%zz"`},
		{path: "/x#y", err: "never sent"},
		{path: "x", err: "slash"},
	} {
		address, err := url.Parse("http://gw:8080/old?q=1")
		if err != nil {
			t.Fatal(err)
		}
		got, err := WithPath(address, row.path)
		switch {
		case row.err != "":
			var f *fault.Error
			if !errors.As(err, &f) || !strings.Contains(err.Error(), row.err) || f.Exit != fault.Usage || f.Hint == "" {
				t.Errorf("%q: %v, want a usage error with %q and a hint", row.path, err, row.err)
			}
		case err != nil || got.String() != row.want || got.Host != "gw:8080":
			t.Errorf("%q: %v, %v; want %s", row.path, got, err, row.want)
		}
	}
}
