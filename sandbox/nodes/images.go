//go:build linux

package nodes

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/mesh-split/mesh-split/sandbox/internal/envoy"
)

// The images' names. No registry is ever asked for them: pods here take what is on the node.
const (
	istioHub   = "docker.io/local"
	istioTag   = "dev"
	pauseImage = istioHub + "/pause:" + istioTag
	demoImage  = "docker.io/library/testing-app" // what the chart calls testing-app
)

// picture is an image before it is packed.
type picture struct {
	tags   []string
	layer  layer
	config v1.Config
}

// pictures are all images of the cluster.
func pictures(ctx context.Context, o *Options) ([]picture, error) {
	program := func(name string) string { return filepath.Join(o.Programs, name) }
	proxy, err := proxyLayer(ctx, o)
	if err != nil {
		return nil, err
	}
	return []picture{
		{tags: []string{pauseImage}, layer: layer{"pause": {from: program("pause")}},
			config: v1.Config{Entrypoint: []string{"/pause"}, User: "65535:65535"}},
		{tags: []string{demoImage + ":v1", demoImage + ":v2"}, layer: layer{"demoapp": {from: program("demoapp")}},
			config: v1.Config{Entrypoint: []string{"/demoapp"}, User: "65532:65532"}},
		{tags: []string{istioHub + "/pilot:" + istioTag}, config: v1.Config{Entrypoint: []string{"/usr/local/bin/pilot-discovery"}, User: "1337:1337"},
			layer: layer{"usr/local/bin/pilot-discovery": {from: program("pilot-discovery")}, "tmp": tmp, "etc/passwd": passwd}},
		{tags: []string{istioHub + "/proxyv2:" + istioTag}, layer: proxy,
			config: v1.Config{Entrypoint: []string{"/usr/local/bin/pilot-agent"}, Env: []string{"PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}}},
	}, nil
}

// Go's user look-ups and istiod read the file; anybody may write in /tmp.
var (
	passwd = entry{text: "root:x:0:0:root:/root:/sbin/nologin\nistio-proxy:x:1337:1337::/home/istio-proxy:/sbin/nologin\n", mode: 0o644}
	tmp    = entry{dir: true, mode: 0o1777}
)

// iptablesLinks are the names by which istio-init calls iptables. The legacy kind works on every kernel that has either.
var iptablesLinks = []string{"iptables", "iptables-save", "iptables-restore", "ip6tables", "ip6tables-save", "ip6tables-restore"}

// proxyLayer is the sidecar and the gateway: Istio's agent, a stock Envoy, and iptables for the rules that lead a pod's
// traffic through the sidecar.
func proxyLayer(ctx context.Context, o *Options) (layer, error) {
	l := layer{"tmp": tmp, "run": tmp, "etc/passwd": passwd}
	l.file("usr/local/bin/pilot-agent", filepath.Join(o.Programs, "pilot-agent"))
	l["var/lib/istio/envoy/envoy_bootstrap_tmpl.json"] = entry{from: filepath.Join(o.Programs, "envoy_bootstrap.json"), mode: 0o644}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	stock, err := envoy.Search{Env: os.Getenv("ENVOY"), Cache: filepath.Join(cache, "mesh-split"), Say: o.say}.Find(ctx)
	if err != nil {
		return nil, err
	}
	if err := l.program("usr/local/bin/envoy", stock); err != nil {
		return nil, err
	}
	iptables, err := exec.LookPath("xtables-legacy-multi")
	if err != nil {
		return nil, err
	}
	if err := l.program("usr/sbin/xtables-legacy-multi", iptables); err != nil {
		return nil, err
	}
	for _, link := range iptablesLinks {
		l["usr/sbin/"+link] = entry{link: "xtables-legacy-multi"}
	}
	extensions, err := filepath.Glob("/usr/lib/*/xtables/*.so")
	if err != nil || len(extensions) == 0 {
		return nil, fmt.Errorf("no extensions of iptables in /usr/lib/*/xtables: %w", err)
	}
	for _, extension := range extensions {
		l.file(extension[1:], extension)
	}
	return l, nil
}

// pack writes the image as a docker-archive, which ctr reads.
func (p picture) pack(file string) error {
	content, err := p.layer.image()
	if err != nil {
		return err
	}
	image, err := mutate.AppendLayers(empty.Image, content)
	if err != nil {
		return err
	}
	config := v1.ConfigFile{Architecture: runtime.GOARCH, OS: "linux", Config: p.config}
	base, err := image.ConfigFile()
	if err != nil {
		return err
	}
	config.RootFS = base.RootFS
	if image, err = mutate.ConfigFile(image, &config); err != nil {
		return err
	}
	tags := map[name.Tag]v1.Image{}
	for _, text := range p.tags {
		tag, err := name.NewTag(text)
		if err != nil {
			return err
		}
		tags[tag] = image
	}
	return tarball.MultiWriteToFile(file, tags)
}

// importImages packs all images and puts them onto the node.
func (c *Cluster) importImages(ctx context.Context, o *Options) error {
	all, err := pictures(ctx, o)
	if err != nil {
		return err
	}
	var work []func() error
	for i, p := range all {
		work = append(work, func() error { return c.importImage(ctx, p, filepath.Join(c.dir, fmt.Sprintf("image-%d.tar", i))) })
	}
	return together(work...)
}

func (c *Cluster) importImage(ctx context.Context, p picture, file string) error {
	if err := p.pack(file); err != nil {
		return fmt.Errorf("packing %s: %w", p.tags[0], err)
	}
	ctr := exec.CommandContext(ctx, "ctr", "--address", socket(c.dir), "--namespace", "k8s.io", "images", "import", file)
	if out, err := ctr.CombinedOutput(); err != nil {
		return fmt.Errorf("importing %s: %w: %s", p.tags[0], err, out)
	}
	return os.Remove(file)
}
