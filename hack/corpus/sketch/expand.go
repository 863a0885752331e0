package sketch

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"
)

type object = map[string]any

// versions are the kinds a sketch may name. Those of other projects are as their controllers serve them.
var versions = map[string]string{
	"Gateway": "networking.istio.io/v1", "VirtualService": "networking.istio.io/v1", "DestinationRule": "networking.istio.io/v1",
	"Pod": "v1", "Service": "v1", "Rollout": "argoproj.io/v1alpha1", "Application": "argoproj.io/v1alpha1",
}

var (
	head    = regexp.MustCompile(`^(Gateway|VirtualService|DestinationRule|Pod|Service|Rollout|Application) ([a-z][a-z0-9-]*)/([a-z0-9-]+)`)
	extra   = regexp.MustCompile(`^ (ownerReferences|annotations): `)
	onePort = regexp.MustCompile(`^each one port ([0-9]+)`)
	pods    = regexp.MustCompile(`^ready pods x([0-9]+)`)
	version = regexp.MustCompile(`^(?:ready pods )?version=([a-z0-9]+) x([0-9]+)`)
	some    = regexp.MustCompile(`^(pods ready|ready)`)
)

// board is a sketch on its way to objects.
type board struct {
	rest     string
	objects  []object
	services []*service
	labels   map[string]any // of the last pod: what a Service beside it selects
}

// service waits for what the sketch says of its pods.
type service struct {
	object object
	pods   []podGroup
	stated bool // something was said of its pods
}

type podGroup struct {
	version string // value of the label version, or empty
	n       int
}

// expand makes objects of one sketch. One that does not begin with an object is a fact.
func expand(text string) (objects []object, fact string, err error) {
	b := board{rest: text}
	if !head.MatchString(text) {
		return nil, text, nil
	}
	for b.rest = strings.TrimLeft(b.rest, ";, "); b.rest != ""; b.rest = strings.TrimLeft(b.rest, ";, ") {
		if err := b.next(); err != nil {
			return nil, "", fmt.Errorf("sketch %q: %w", text, err)
		}
	}
	for _, s := range b.services {
		b.objects = append(b.objects, s.expand()...)
	}
	return b.objects, "", nil
}

// next reads one object or one clause.
func (b *board) next() error {
	take := func(m []string) { b.rest = b.rest[len(m[0]):] }
	if m := head.FindStringSubmatch(b.rest); m != nil {
		take(m)
		return b.object(m[1], m[2], m[3])
	}
	if m := onePort.FindStringSubmatch(b.rest); m != nil {
		take(m)
		n, _ := strconv.ParseInt(m[1], 10, 64)
		for _, s := range b.services {
			s.object["spec"].(object)["ports"] = []any{n}
		}
		return nil
	}
	group, clause := podGroup{n: 1}, some.FindStringSubmatch(b.rest)
	if m := version.FindStringSubmatch(b.rest); m != nil {
		clause, group.version = m, m[1]
		group.n, _ = strconv.Atoi(m[2])
	} else if m := pods.FindStringSubmatch(b.rest); m != nil {
		clause = m
		group.n, _ = strconv.Atoi(m[1])
	}
	if clause == nil {
		return fmt.Errorf("%q is not understood", b.rest)
	}
	take(clause)
	for _, s := range b.services {
		s.pods, s.stated = append(s.pods, group), true
	}
	return nil
}

// object reads the fields after a name: the spec, or for a pod what it has, and metadata behind it.
func (b *board) object(kind, namespace, name string) error {
	fields, err := b.flow(" ")
	if err != nil {
		return err
	}
	meta := object{"namespace": namespace, "name": name}
	o := object{"apiVersion": versions[kind], "kind": kind, "metadata": meta}
	if at, ok := fields["created"]; ok { // 10:00, which YAML 1.1 reads as minutes
		minutes, _ := at.(int64)
		meta["creationTimestamp"] = fmt.Sprintf("2026-11-22T%02d:%02d:00Z", minutes/60, minutes%60)
		delete(fields, "created")
	}
	if m := extra.FindStringSubmatch(b.rest); m != nil {
		b.rest = b.rest[len(m[0])-1:]
		value, err := b.value(" ")
		if err != nil {
			return err
		}
		meta[m[1]] = value
	}
	switch kind {
	case "Pod":
		meta["labels"] = fields["labels"]
		b.labels, _ = fields["labels"].(object)
		ready := map[any]string{true: "True"}[fields["ready"]]
		o["spec"], o["status"] = container(), object{"conditions": []any{object{"type": "Ready", "status": ready}}}
	case "Service":
		if fields["selector"] == nil && b.labels != nil {
			fields["selector"] = b.labels
		}
		o["spec"] = fields
		b.services = append(b.services, &service{object: o})
		return nil
	case "Application":
		o["spec"] = object{"syncPolicy": object{"automated": fields}}
	case "Rollout":
		o["spec"] = fields["spec"]
	default:
		o["spec"] = fields
	}
	b.objects = append(b.objects, o)
	return nil
}

// flow reads a map in YAML's flow style; none is an empty one.
func (b *board) flow(before string) (object, error) {
	if !strings.HasPrefix(b.rest, before+"{") {
		return object{}, nil
	}
	value, err := b.value(before)
	if err != nil {
		return nil, err
	}
	return value.(object), nil
}

// value reads a balanced value in YAML's flow style.
func (b *board) value(before string) (any, error) {
	text := strings.TrimPrefix(b.rest, before)
	depth, quoted := 0, false
	for i, r := range text {
		switch {
		case r == '\'':
			quoted = !quoted
		case quoted:
		case r == '{' || r == '[':
			depth++
		case r == '}' || r == ']':
			depth--
		}
		if depth > 0 {
			continue
		}
		data, err := yaml.YAMLToJSON([]byte(text[:i+1]))
		if err != nil {
			return nil, err
		}
		b.rest = text[i+1:]
		var v any
		return v, utiljson.Unmarshal(data, &v) // whole numbers are int64, as the API machinery decodes them
	}
	return nil, fmt.Errorf("a bracket is open")
}

func container() object {
	return object{"containers": []any{object{"name": "app", "image": "example.com/app"}}}
}

// expand makes the Service whole, and its pods with an EndpointSlice where the sketch spoke of pods.
func (s *service) expand() []object {
	spec, meta := s.object["spec"].(object), s.object["metadata"].(object)
	if spec["selector"] == nil {
		spec["selector"] = object{"app": meta["name"]}
	}
	if spec["ports"] == nil {
		spec["ports"] = []any{int64(80)}
	}
	var ports, slicePorts []any
	for _, p := range spec["ports"].([]any) {
		port, ok := p.(object)
		if !ok {
			port = object{"name": fmt.Sprintf("http-%d", p), "port": p}
		}
		port["protocol"] = "TCP"
		ports = append(ports, port)
		slicePorts = append(slicePorts, object{"name": port["name"], "port": port["port"], "protocol": "TCP"})
	}
	spec["ports"] = ports
	out := []object{s.object}
	if !s.stated {
		return out
	}
	var endpoints []any
	for _, group := range s.pods {
		for i := range group.n {
			labels := object{}
			for k, v := range spec["selector"].(object) {
				labels[k] = v
			}
			if group.version != "" {
				labels["version"] = group.version
			}
			name := fmt.Sprintf("%s-%s%d", meta["name"], group.version, i)
			out = append(out, object{"apiVersion": "v1", "kind": "Pod", "spec": container(),
				"metadata": object{"namespace": meta["namespace"], "name": name, "labels": labels}})
			endpoints = append(endpoints, object{"addresses": []any{fmt.Sprintf("10.9.0.%d", len(endpoints)+1)}, "conditions": object{"ready": true},
				"targetRef": object{"kind": "Pod", "namespace": meta["namespace"], "name": name}})
		}
	}
	return append(out, object{"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4", "ports": slicePorts, "endpoints": endpoints,
		"metadata": object{"namespace": meta["namespace"], "name": fmt.Sprint(meta["name"], "-x"), "labels": object{"kubernetes.io/service-name": meta["name"]}}})
}
