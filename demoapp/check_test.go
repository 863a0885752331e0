package main

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestCheck(t *testing.T) {
	server := httptest.NewServer(newApp("v2", "stage"))
	defer server.Close()
	tests := []struct {
		name, url, version, out, err string
		usage                        bool
	}{
		{name: "the version answers", url: server.URL, version: "v2", out: server.URL + " says v2\n"},
		{name: "another version answers", url: server.URL, version: "v1", err: `status 200 from version "v2", want 200 from "v1"`},
		{name: "nobody answers", url: "http://127.0.0.1:1/", version: "v1", err: "connection refused"},
		{name: "no URL", url: "http://%", version: "v1", err: "--check: ", usage: true},
	}
	for _, tt := range tests {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond) // less than the pause: one try
		var out strings.Builder
		err := check(ctx, options{check: tt.url, version: tt.version}, &out)
		cancel()
		if out.String() != tt.out || (err == nil) != (tt.err == "") || (err != nil && !strings.Contains(err.Error(), tt.err)) ||
			errors.As(err, new(usageError)) != tt.usage {
			t.Errorf("%s: got %q, %v; want %q, %q", tt.name, out.String(), err, tt.out, tt.err)
		}
	}
}
