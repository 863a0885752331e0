package vector

import (
	"os"
	"strings"
	"testing"
)

func TestHTTP1(t *testing.T) {
	data, err := os.ReadFile("../../../testdata/vectors-http1.json")
	if err != nil {
		t.Fatal(err)
	}
	passed, mismatches := CheckHTTP1(data)
	for _, m := range mismatches {
		t.Error(m)
	}
	if passed != 45 {
		t.Errorf("%d cases passed, want 45", passed)
	}
}

// A checker that cannot fail proves nothing.
func TestHTTP1SeesMismatch(t *testing.T) {
	_, mismatches := CheckHTTP1([]byte(`[{"name": "wrong", "request_method": "GET", "segments": ["HTTP/1.1 204 No Content\r\n\r\n"],
		"expect": {"outcome": "answered", "status": 204, "version": "v1", "reusable": true}}]`))
	if len(mismatches) < 4 || !strings.Contains(mismatches[0], "wrong (parser, as given): got no_label") {
		t.Errorf("mismatches %q, want four that name the case", mismatches)
	}
}
