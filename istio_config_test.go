package meshsplit_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1"
	security "istio.io/api/security/v1"
	networkingv1 "k8s.io/api/networking/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
)

// object is a decoded document of istio-config.
type object struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name, Namespace string
	} `json:"metadata"`
	Spec json.RawMessage `json:"spec"`
}

func objects(t *testing.T, path string, text []byte) []object {
	t.Helper()
	var out []object
	for decoder := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096); ; {
		var o object
		if err := decoder.Decode(&o); err == io.EOF {
			return out
		} else if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		out = append(out, o)
	}
}

// Istio drops a field it does not know with no more than a warning; here it is an error. Objects of the Gateway API are held
// by their rules in the sandbox, whose API server has their definitions.
func TestIstioConfigFieldsExist(t *testing.T) {
	specs := map[string]func() proto.Message{
		"networking.istio.io/v1 Gateway":          func() proto.Message { return new(networking.Gateway) },
		"networking.istio.io/v1 VirtualService":   func() proto.Message { return new(networking.VirtualService) },
		"networking.istio.io/v1 DestinationRule":  func() proto.Message { return new(networking.DestinationRule) },
		"security.istio.io/v1 PeerAuthentication": func() proto.Message { return new(security.PeerAuthentication) },
	}
	var paths []string
	for _, pattern := range []string{"istio-config/*.yaml", "istio-config/*/*.yaml"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, found...)
	}
	seen := map[string]bool{}
	for _, path := range paths {
		for _, o := range objects(t, path, []byte(read(t, path))) {
			if o.Metadata.Name == "" || o.Metadata.Namespace == "" {
				t.Errorf("%s: a %s has no name or no namespace: it would land wherever the context points", path, o.Kind)
			}
			kind := o.APIVersion + " " + o.Kind
			if strings.HasPrefix(kind, "gateway.networking.k8s.io/") {
				continue
			}
			if specs[kind] == nil {
				t.Errorf("%s: %s is not known to this test", path, kind)
				continue
			}
			seen[kind] = true
			if err := protojson.Unmarshal(o.Spec, specs[kind]()); err != nil {
				t.Errorf("%s: %s %s: %v", path, o.Kind, o.Metadata.Name, err)
			}
		}
	}
	if len(seen) != len(specs) {
		t.Errorf("seen %v, want all of %d kinds", seen, len(specs))
	}
}

// The playground's rows 8 and 9, in their own words.
func TestPlaygroundRoutes(t *testing.T) {
	var vs networking.VirtualService
	o := objects(t, "vsvc.yaml", []byte(read(t, "istio-config/vsvc.yaml")))[0]
	if err := protojson.Unmarshal(o.Spec, &vs); err != nil {
		t.Fatal(err)
	}
	if o.Metadata.Name != "demoapp" || vs.Hosts[0] != "*" || vs.Gateways[0] != "app-gateway" {
		t.Errorf("VirtualService %s for %v on %v, want demoapp for * on app-gateway", o.Metadata.Name, vs.Hosts, vs.Gateways)
	}
	for i, host := range []string{"flaskapp.prod.svc.cluster.local", "flaskapp.stage.svc.cluster.local"} {
		if route := vs.Http[0].Route[i]; route.Destination.Host != host || route.Weight != 50 {
			t.Errorf("destination %d is %s at %d, want %s at 50", i, route.Destination.Host, route.Weight, host)
		}
	}
}

func TestIngresses(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("bash is not here: hack/ingresses was NOT tested")
	}
	out, err := exec.Command("hack/ingresses", "10.0.0.7").Output()
	if err != nil {
		t.Fatal(err)
	}
	hosts := map[string]string{}
	for _, o := range objects(t, "hack/ingresses", out) {
		if o.Kind != "Ingress" {
			continue
		}
		var spec networkingv1.IngressSpec
		decoder := json.NewDecoder(bytes.NewReader(o.Spec))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&spec); err != nil {
			t.Fatal(err)
		}
		if o.Metadata.Namespace != "istio-system" || *spec.IngressClassName != "istio" {
			t.Errorf("ingress %s is in %s, of class %s", o.Metadata.Name, o.Metadata.Namespace, *spec.IngressClassName)
		}
		hosts[spec.Rules[0].Host] = spec.Rules[0].HTTP.Paths[0].Backend.Service.Name
	}
	// Row 4 of the playground.
	for name, service := range map[string]string{"kiali": "kiali", "prom": "prometheus", "grafana": "grafana", "tracing": "tracing"} {
		if host := name + ".10.0.0.7.nip.io"; hosts[host] != service {
			t.Errorf("%s leads to %q, want %q", host, hosts[host], service)
		}
	}
	for _, args := range [][]string{{}, {"istio.example"}, {"10.0.0.7; reboot"}, {"10.0.0.7", "eighty"}} {
		command := exec.Command("hack/ingresses", args...)
		command.Stdout = os.Stderr
		if err := command.Run(); err == nil || command.ProcessState.ExitCode() != 2 {
			t.Errorf("hack/ingresses %q gave %v, want status 2", args, err)
		}
	}
}
