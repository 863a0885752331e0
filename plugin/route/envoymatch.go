package route

import "strings"

// inDump finds the route that governs the request in an Envoy's configuration and gives its index among the routes that
// the objects say; E_DUMP_DIFFERS when it is none of them.
func (d *Decision) inDump(dump *Dump, routes []candidate) (int, error) {
	host, config := dump.host(d.RouteConfig, d.Probe.domain())
	if config == "" {
		return -1, refuse("E_DUMP_DIFFERS", "wait until istiod has pushed, or look for another revision", "the Envoy has no route configuration %s", d.RouteConfig)
	}
	if host == nil {
		return -1, refuse("E_DUMP_DIFFERS", "wait until istiod has pushed, or look for another revision",
			"the Envoy's route configuration %s has no virtual host for %s", config, printable(d.Probe.domain()))
	}
	for _, r := range host.Routes {
		switch d.Probe.fitsEnvoy(r.Match) {
		case unknown:
			return -1, refuse("E_MATCH_UNKNOWN", "send what settles it (-H), or name the route with --route",
				"whether Envoy's route %s takes %s cannot be known", printable(r.Name), d.Probe)
		case yes:
			for i, c := range routes {
				if c.fits == yes && c.gave(r) {
					return i, nil
				}
			}
			return -1, refuse("E_DUMP_DIFFERS", "look for an EnvoyFilter or another revision of istiod", "in Envoy a route %q of %s governs %s, which the objects do not say",
				r.Name, printable(r.Namespace+"/"+r.Object), d.Probe)
		}
	}
	return -1, refuse("E_DUMP_DIFFERS", "wait until istiod has pushed", "no route of Envoy's virtual host %s takes %s", printable(host.Name), d.Probe)
}

// host finds the virtual host that Envoy picks for a domain; config is empty when there is no such route configuration.
func (d *Dump) host(name, domain string) (found *VirtualHost, config string) {
	best := ""
	for i := range d.Configs {
		if d.Configs[i].Name != name {
			continue
		}
		config = name
		for j := range d.Configs[i].VirtualHosts {
			h := &d.Configs[i].VirtualHosts[j]
			for _, pattern := range h.Domains {
				if hostCovers(pattern, domain) && (found == nil || closer(pattern, best)) {
					found, best = h, pattern
				}
			}
		}
	}
	return found, config
}

// fitsEnvoy evaluates a RouteMatch; a condition that it does not know makes the answer unknown, never a yes.
func (p Probe) fitsEnvoy(match map[string]any) truth {
	result := yes
	for key, v := range match {
		result = both(result, p.fitsEnvoyField(match, key, v))
	}
	return result
}

func (p Probe) fitsEnvoyField(match map[string]any, key string, v any) truth {
	sensitive, set := match["case_sensitive"].(bool)
	ignoreCase := set && !sensitive
	switch key {
	case "case_sensitive":
		return yes
	case "prefix":
		return p.fitsURI(map[string]any{"prefix": v}, ignoreCase)
	case "path":
		return p.fitsURI(map[string]any{"exact": v}, ignoreCase)
	case "path_separated_prefix":
		prefix, _ := v.(string)
		return p.fitsURI(map[string]any{segments: prefix}, ignoreCase)
	case "safe_regex":
		return p.fitsURI(map[string]any{"regex": str(match, "safe_regex", "regex")}, ignoreCase)
	case "headers":
		result := yes
		for _, h := range dicts(match, "headers") {
			result = both(result, p.fitsEnvoyHeader(h))
		}
		return result
	case "query_parameters":
		result := yes
		for _, q := range dicts(match, "query_parameters") {
			m, ok := envoyString(q)
			if !ok {
				return unknown
			}
			result = both(result, p.fitsQuery(str(q, "name"), m))
		}
		return result
	}
	return unknown
}

func (p Probe) fitsEnvoyHeader(h map[string]any) truth {
	m, ok := envoyString(h)
	name := strings.ToLower(str(h, "name"))
	if !ok || addedByGateway(name) {
		return unknown
	}
	value, there := p.header(name)
	result := fitsString(m, value, there || boolean(h, "treat_missing_header_as_empty") && !isPresent(m))
	if boolean(h, "invert_match") {
		return result.not()
	}
	return result
}

// envoyString reads the string conditions that istiod writes as a string match of a VirtualService; ok is false for
// others.
func envoyString(h map[string]any) (m map[string]any, ok bool) {
	for key, v := range h {
		switch key {
		case "name", "invert_match", "treat_missing_header_as_empty":
		case "present_match":
			if b, _ := v.(bool); !b {
				return nil, false
			}
			m = map[string]any{}
		case "string_match":
			sm, _ := v.(map[string]any)
			switch {
			case len(sm) != 1:
				return nil, false
			case sm["exact"] != nil || sm["prefix"] != nil:
				m = sm
			case sm["safe_regex"] != nil:
				m = map[string]any{"regex": str(sm, "safe_regex", "regex")}
			default:
				return nil, false
			}
		default:
			return nil, false
		}
	}
	return m, m != nil
}
