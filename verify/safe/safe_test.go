package safe

import (
	"encoding/json"
	"testing"
)

const evil = "a\x1b[2J\r\x7f\u009b1A\u202eb\u2066ü"

func TestText(t *testing.T) {
	for _, row := range []struct{ in, want string }{
		{"", ""},
		{"flaskapp.stage · 30 %", "flaskapp.stage · 30 %"}, // other scripts and signs stay as they are
		{evil, `a\x1b[2J\r\x7f\u009b1A\u202eb\u2066\u00fc`},
		{"two\nlines", `two\nlines`},
		{"no \xff UTF-8", `no \xff UTF-8`},
	} {
		if got := Text(row.in); got != row.want {
			t.Errorf("%q: got %q, want %q", row.in, got, row.want)
		}
	}
}

func TestLines(t *testing.T) {
	if got, want := Lines("ü one\ntw\x1bo\n"), "ü one\ntw\\x1bo\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A document means the same, and holds nothing that a terminal obeys.
func TestJSON(t *testing.T) {
	data, err := json.MarshalIndent(map[string]string{evil: evil, "plain": "ü"}, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	made := JSON(data)
	var back map[string]string
	if err := json.Unmarshal(made, &back); err != nil || back[evil] != evil || back["plain"] != "ü" {
		t.Errorf("%v: %q", err, back)
	}
	for _, r := range string(made) {
		if acts(r) && r != '\n' && r != '\t' {
			t.Errorf("%q is still there: %s", r, made)
		}
	}
}
