package report

// APIVersion and Kind head every document of this package.
const (
	APIVersion = "mesh-split.dev/v1alpha1"
	Kind       = "VerificationReport"
	Passive    = "passive" // Load.Engine of a run that sent nothing: the requests are users' own, counted in the gateways
)

// Verification is one run: the target, what was sent, what came back, and the verdict. A run that only loads has neither
// verdict nor targets.
type Verification struct {
	APIVersion string `json:"apiVersion"` // APIVersion
	Kind       string `json:"kind"`       // Kind
	RunID      string `json:"runId"`      // as sent in header x-mesh-split-run
	StartedAt  string `json:"startedAt"`  // RFC 3339, when the first request could leave; empty when no worker told it

	Verdict         string   `json:"verdict,omitempty"`         // PASS, FAIL or INCONCLUSIVE
	Reasons         []Reason `json:"reasons,omitempty"`         // why, the deciding one first
	Interrupted     bool     `json:"interrupted,omitempty"`     // a person or a signal ended the run
	Watched         float64  `json:"watched,omitempty"`         // seconds of watching after the PASS; the interval of false alarms is a week or more
	Confidence      float64  `json:"confidence,omitempty"`      // 1 - alpha, in (0.5, 1)
	CertifiedWithin *float64 `json:"certifiedWithin,omitempty"` // the smallest distance, in [0, 1], that covers every interval
	RequestsWanted  *uint64  `json:"requestsWanted,omitempty"`  // INCONCLUSIVE for lack of requests: about so many more

	Versions     []Version `json:"versions"`
	Times        *Times    `json:"times,omitempty"` // of a run that only loads
	Unattributed uint64    `json:"unattributed"`    // evidence requests that may have been routed but named no version

	UnattributedErrors   uint64            `json:"unattributedErrors,omitempty"`   // of those: 5xx and every reply that did not arrive whole
	Statuses             map[string]uint64 `json:"statuses,omitempty"`             // replies by status code, those of 2xx together as "2xx"
	UnattributedStatuses map[string]uint64 `json:"unattributedStatuses,omitempty"` // of those, replies that named no version

	Outcomes     map[string]uint64 `json:"outcomes"`                 // every request sent, by how it ended
	Examples     map[string]string `json:"errorExamples,omitempty"`  // for outcomes that have one, an error in words
	GatewayMade  map[string]uint64 `json:"gatewayReplies,omitempty"` // replies the gateway made itself, by status code
	GRPCStatuses map[string]uint64 `json:"grpcStatuses,omitempty"`   // gRPC: whole replies by grpc-status, "none" without one; all but "0" are errors
	Requests     Requests          `json:"requests"`
	Load         Load              `json:"load"`
	Connections  *Connections      `json:"connections,omitempty"`
	Peers        []Peer            `json:"peers,omitempty"` // the addresses connected to, when there was more than one
	Propagation  *Propagation      `json:"propagation,omitempty"`
	Gateways     []Gateway         `json:"gateways,omitempty"`
	Workers      []Worker          `json:"workers,omitempty"` // whose streams were joined
	Routes       []RouteReport     `json:"routes,omitempty"`  // each, where several routes of an object were measured: the verdict is then the worst of them, requests and outcomes are sums, and the rest is here
	Warnings     []string          `json:"warnings,omitempty"`
}

// Reason is one ground of the verdict. Codes are part of the contract, messages are for people.
type Reason struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Version is one version's share and health. Counts and rates are of the evidence; latencies are of every answered
// request that named the version.
type Version struct {
	Name           string            `json:"name"`
	Target         *float64          `json:"target,omitempty"`    // share in [0, 1]; 0 for a version nobody asked for
	Tolerance      *float64          `json:"tolerance,omitempty"` // allowed distance from the target, in (0, 1); 0 where the weight is 0
	Observed       float64           `json:"observed"`            // share in [0, 1] of the evidence
	Interval       *[2]float64       `json:"interval,omitempty"`  // confidence sequence: valid at whatever moment the run stopped
	Requests       uint64            `json:"requests"`
	Errors         uint64            `json:"errors"`                   // 5xx and every reply that did not arrive whole
	Slow           uint64            `json:"slow,omitempty"`           // slower than --slower-than, where that was asked
	ClientErrors   uint64            `json:"clientErrors"`             // 4xx: shown, not judged
	Statuses       map[string]uint64 `json:"statuses,omitempty"`       // every reply that named the version, by status code, those of 2xx together as "2xx"
	ErrorRateUpper *float64          `json:"errorRateUpper,omitempty"` // upper confidence bound of the error rate
	Service        *Latency          `json:"service,omitempty"`        // first octet sent to last octet read
	Response       *Latency          `json:"response,omitempty"`       // planned start to last octet read; only at a constant rate
}

// Latency holds quantiles in seconds, never low and high by less than 0.79 %.
type Latency struct {
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`

	// Intervals of the quantiles, absent while there are too few replies to bound them from above. They hold, all together,
	// with the run's confidence if latencies do not depend on each other.
	P50Interval *[2]float64 `json:"p50Interval,omitempty"`
	P99Interval *[2]float64 `json:"p99Interval,omitempty"`
}

// Requests says where every request went.
type Requests struct {
	Sent     uint64 `json:"sent"`     // all of them
	Settling uint64 `json:"settling"` // sent before the evidence begins
	Evidence uint64 `json:"evidence"` // what the verdict rests on, routed or possibly routed
	Drained  uint64 `json:"drained"`  // of the evidence, replies awaited after the last one was sent
}

// Load is the load as it was.
type Load struct {
	URL               string            `json:"url"`
	Host              string            `json:"host"`
	Method            string            `json:"method"`
	Addresses         []string          `json:"addresses"`
	Engine            string            `json:"engine"`
	Protocol          string            `json:"protocol"`
	Insecure          bool              `json:"insecure,omitempty"` // the far side's certificate was not verified: --insecure
	Connections       int               `json:"connections"`
	Streams           int               `json:"streams,omitempty"`   // HTTP/2: requests at once on each connection, where more than one was asked for
	RateAsked         float64           `json:"rateAsked,omitempty"` // requests per second; absent in a closed loop
	Requests          uint64            `json:"requests"`            // requests sent while measuring
	Seconds           float64           `json:"seconds"`
	RequestsPerSecond float64           `json:"requestsPerSecond"`
	Slowed            uint64            `json:"slowed,omitempty"` // how often the rate was halved because the far side asked for it
	Busy              float64           `json:"busy,omitempty"`   // part of the time, in [0, 1], that the generator itself was at work; above 0.9 latencies include its own queue
	Limits            []Limit           `json:"limits,omitempty"` // where the generator itself fell short
	Schedule          *Schedule         `json:"schedule,omitempty"`
	Failures          *Latency          `json:"failures,omitempty"`         // how long failed requests took
	FailedDials       *Latency          `json:"failedDials,omitempty"`      // how long connections took that failed, handshakes included
	Backoffs          []Backoff         `json:"backoffs,omitempty"`         // the first of the times that the rate was halved
	Events            *ConnectionEvents `json:"connectionEvents,omitempty"` // what happened to connections, since the first was opened
}

// Backoff is one halving of the rate because the far side asked for less.
type Backoff struct {
	At    float64 `json:"at"`    // seconds since the first request
	Cause string  `json:"cause"` // status 429, or a header of Envoy's
	From  float64 `json:"from"`  // requests per second
	To    float64 `json:"to"`
}

// ConnectionEvents counts what happened to connections, apart from requests.
type ConnectionEvents struct {
	Opened      uint64 `json:"opened"`
	ClosedIdle  uint64 `json:"closedIdle,omitempty"`  // by the far side, while no request was outstanding
	SaidClose   uint64 `json:"saidClose,omitempty"`   // the reply, its version or its framing did not allow another request
	Failed      uint64 `json:"failed,omitempty"`      // a fault, a time-out, an end inside a reply
	Unsolicited uint64 `json:"unsolicited,omitempty"` // octets came that nobody had asked for
	Surplus     uint64 `json:"surplus,omitempty"`     // octets followed a reply
	BothFramed  uint64 `json:"bothFramed,omitempty"`  // replies with Transfer-Encoding and Content-Length at once
	Reconnected uint64 `json:"reconnected,omitempty"` // --conn-requests was reached
}

// Limit is one way in which the generator itself fell short, with what helps. Codes are part of the contract.
type Limit struct {
	Code    string `json:"code"` // behind, busy, ports or descriptors
	Message string `json:"message"`
	Remedy  string `json:"remedy"`
}

// Schedule says how late the generator itself was; latencies of a late run are its own doing.
type Schedule struct {
	LagP50  float64 `json:"lagP50"` // seconds from planned to real start
	LagP99  float64 `json:"lagP99"`
	LagMax  float64 `json:"lagMax"`
	Overdue uint64  `json:"overdue"`          // planned starts never made
	Behind  bool    `json:"behind"`           // lag p99 above 10 ms, of ten starts or more, or slots overdue
	Cause   string  `json:"cause,omitempty"`  // connections, our CPU, the far side
	Needed  int     `json:"needed,omitempty"` // connections that would do
}

// Connections says whether every connection saw the same split. One that does not hangs on a stale gateway, or routing
// is sticky.
type Connections struct {
	Total  int          `json:"total"`
	Differ []Connection `json:"differ,omitempty"`
}

// Connection is one connection's own split.
type Connection struct {
	Slot     int                `json:"slot"`
	Requests uint64             `json:"requests"`
	Shares   map[string]float64 `json:"shares"`
}

// Peer is what one address answered, of the evidence: a stale gateway behind a name with several addresses shows here.
type Peer struct {
	Address      string             `json:"address"` // ip:port
	Requests     uint64             `json:"requests"`
	Errors       uint64             `json:"errors"`              // 5xx and every reply that did not arrive whole
	Unattributed uint64             `json:"unattributed"`        // of the requests, those that named no version
	NeverSent    uint64             `json:"neverSent,omitempty"` // beside the requests, those that found no connection there
	Shares       map[string]float64 `json:"shares,omitempty"`    // of the requests, by version, in [0, 1]
}

// Propagation is how long a change took to reach the gateways, in seconds after the API server's answer: by their
// configuration, and by what clients got.
type Propagation struct {
	AnsweredAt string         `json:"answeredAt,omitempty"` // RFC 3339 with nanoseconds: what the delays count from
	FirstLive  float64        `json:"firstLive,omitempty"`  // the first gateway's configuration was new
	LastLive   float64        `json:"lastLive,omitempty"`   // every gateway's was
	Traffic    *TrafficTiming `json:"traffic,omitempty"`
}

// TrafficTiming is the change as the labels on each connection show it. A connection is timed when its confidence set
// spans at most 250 ms.
type TrafficTiming struct {
	Connections int     `json:"connections"` // watched
	Moved       int     `json:"moved"`       // on which the change is proved
	Timed       int     `json:"timed"`       // on which the moment is known closely; fewer than half of all give no time
	First       float64 `json:"first,omitempty"`
	Median      float64 `json:"median,omitempty"`
	Last        float64 `json:"last,omitempty"`
	Untimed     string  `json:"untimed,omitempty"` // why there is no time
}

// Worker is one of the workers that sent a joined load.
type Worker struct {
	Name     string `json:"name"`
	RunID    string `json:"runId"` // as sent in header x-mesh-split-run
	Sent     uint64 `json:"sent"`  // all its requests; of one that is not complete as many as it told
	Complete bool   `json:"complete"`
	Error    string `json:"error,omitempty"` // why it ended before its time
}

// Gateway is one ingress gateway pod and the weights its own Envoy holds.
type Gateway struct {
	Pod     string             `json:"pod"` // namespace/name
	State   string             `json:"state"`
	Weights map[string]int64   `json:"weights,omitempty"`
	Shares  map[string]float64 `json:"shares,omitempty"`
	Message string             `json:"message,omitempty"`
}
