// Package wire is what the processes of a sandbox say to each other: the order that starts a supervisor, the events it
// tells while it brings the sandbox up, and the requests of its control port.
package wire

import "time"

// Config is the order: one JSON object on the lease, the pipe that the supervisor reads first. All paths are absolute.
type Config struct {
	Dir      string  `json:"dir"`
	Cache    string  `json:"cache"` // the user's folder that sandboxes share: port locks, Envoy
	Binary   string  `json:"binary"`
	Gateways int     `json:"gateways"`
	Envoy    string  `json:"envoy"`    // --envoy; may be empty
	EnvoyEnv string  `json:"envoyEnv"` // $ENVOY; may be empty
	DemoApp  string  `json:"demoApp"`
	Mesh     string  `json:"mesh"`    // folder of Istio objects to apply
	Weights  []int64 `json:"weights"` // for its VirtualServices, prod first; none leaves the files' own
	// Keep says how long the lease binds: with false the supervisor ends if the lease closes before it is ready; with true
	// also afterwards, so that a test that crashes takes its sandbox along.
	Keep bool `json:"keep"`
}

// Event is one line of JSON on the supervisor's standard output. The last one has Ready or Error.
type Event struct {
	Text  string `json:"text,omitempty"`
	Ready bool   `json:"ready,omitempty"`
	Error string `json:"error,omitempty"`
}

// Fault is a request of the control port: POST /fault.
type Fault struct {
	Action Action `json:"action"`
	// Target is a gateway's number from 0, a version of the application, or a component, by the action.
	Target string `json:"target"`
	App    *App   `json:"app,omitempty"`
}

// Action names what to do.
type Action string

// The actions, and what their target is.
const (
	Freeze  Action = "freeze"  // gateway: it stops in its tracks, its sockets stay open
	Thaw    Action = "thaw"    // gateway
	Kill    Action = "kill"    // gateway: it dies, and its pod is not ready
	Restart Action = "restart" // gateway: it comes back after kill
	Hold    Action = "hold"    // gateway: nothing reaches it from istiod; it keeps its weights
	Release Action = "release" // gateway
	Stop    Action = "stop"    // component: istiod or apiserver
	Start   Action = "start"   // component
	Break   Action = "app"     // version: its switches, App
)

// App is the state of the demo application's switches, in its own words.
type App struct {
	Latency     string  `json:"latency,omitempty"` // added before each reply, as in "50ms"
	ErrorRate   float64 `json:"errorRate"`         // share of replies with ErrorStatus, [0, 1]
	ErrorStatus int     `json:"errorStatus,omitempty"`
	Unready     bool    `json:"unready"`
}

// Patience bounds waiting for things that take milliseconds on an idle machine and seconds on a busy one.
const Patience = 60 * time.Second
