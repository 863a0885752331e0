package mesh

import "testing"

func TestNear(t *testing.T) {
	for _, tt := range []struct {
		name string
		have []string
		want string
	}{
		{"chekout", []string{"cart", "checkout"}, "checkout"}, // a letter forgotten
		{"prod", []string{"shop-prod", "shop-stage"}, "shop-prod"},
		{"demoap", []string{"demoapp"}, "demoapp"},
		{"zebra", []string{"cart", "checkout"}, ""}, // nothing like it: no guess
		{"a", nil, ""},
	} {
		if got := Near(tt.name, tt.have); got != tt.want {
			t.Errorf("Near(%q, %q) = %q, want %q", tt.name, tt.have, got, tt.want)
		}
	}
}
