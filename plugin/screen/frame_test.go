package screen

import (
	"bytes"
	"testing"
)

func TestFrameDrawsInPlace(t *testing.T) {
	var out bytes.Buffer
	f := &Frame{out: &out, height: func() int { return 4 }}
	for _, row := range []struct{ why, text, want string }{
		{"the first goes where the cursor is", "a\nb\n", "\x1b[?7la\nb\n\x1b[?7h"},
		{"the next in its place", "c\n", "\x1b[2A\r\x1b[J\x1b[?7lc\n\x1b[?7h"},
		{"one that is as high as the screen, too", "1\n2\n3\n4\n", "\x1b[1A\r\x1b[J\x1b[?7l1\n2\n3\n4\n\x1b[?7h"},
		{"but what follows it goes below: its top has left the screen", "d\n", "\x1b[?7ld\n\x1b[?7h"},
	} {
		out.Reset()
		f.Draw(row.text)
		if got := out.String(); got != row.want {
			t.Errorf("%s: %q, want %q", row.why, got, row.want)
		}
	}
	if NewFrame(&out) != nil {
		t.Error("a buffer is no terminal")
	}
}
