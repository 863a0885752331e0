package cli

import (
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// Stdin is read once and means the same however often the flags are.
func TestStdin(t *testing.T) {
	for _, row := range []struct{ args, method, path, body string }{
		{"-d @-", "POST", "", "POST /x HTTP/1.1\n\nhello"},
		{"--request -", "POST", "/x", "hello"},
	} {
		f := LoadFlags{In: strings.NewReader("POST /x HTTP/1.1\n\nhello")}
		fs := pflag.NewFlagSet("", pflag.ContinueOnError)
		f.AddFlags(fs)
		if err := fs.Parse(strings.Fields(row.args)); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			c, err := f.Config()
			path, pathErr := f.Path()
			if err != nil || pathErr != nil || c.Method != row.method || path != row.path || string(c.Body) != row.body {
				t.Errorf("%s: %s %s with %q, %v, %v; want %s %s with %q", row.args, c.Method, path, c.Body, err, pathErr, row.method, row.path, row.body)
			}
		}
	}
}
