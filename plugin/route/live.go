package route

// LiveState says how an Envoy stands to an entry.
type LiveState uint8

// The states.
const (
	LiveUnknown LiveState = iota // not known: tcp and tls routes, which are not in route configurations
	Live                         // every route of the entry has exactly the entry's weights
	Stale                        // the entry's routes agree on other weights of its destinations
	Absent                       // no route of the entry: not pushed, not bound, not exported, dropped
	Differs                      // routes disagree, or hold destinations that the entry has not
)

func (s LiveState) String() string {
	return [...]string{"unknown", "live", "stale", "absent", "differs"}[s]
}

// LiveReport is what one Envoy has of one entry.
type LiveReport struct {
	State       LiveState
	Weights     []int64  // per destination as Envoy has them, equal destinations summed at the first; nil unless Live or Stale
	Configs     []string // names of the route configurations that hold the entry's routes
	Hosts       []string // domains of their virtual hosts
	LastUpdated string   // newest of the configurations; shown, not trusted
	Why         string   // in words, for everything but Live
	Error       string   // a NACK of one of the configurations, or ""
}

// Root names the object that Envoy's metadata carries, where it is not the entry's own: the root of a delegate.
type Root struct{ Namespace, Name string }

// Live compares what the Envoy has with the entry's effective weights.
func (d *Dump) Live(e Entry, root *Root) LiveReport { panic("being built") }
