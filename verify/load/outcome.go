package load

// Outcome says how a request ended. Every request ends in exactly one.
type Outcome uint8

// The outcomes. "Attributed" means that the request has a version; what was never routed is no evidence at all.
const (
	NoOutcome   Outcome = iota // of a request still in flight
	Answered                   // complete reply with one usable label: attributed
	NoLabel                    // complete, the label absent or empty
	BadLabel                   // complete, but two labels, a long one, or one that cannot be printed
	Gateway                    // complete, no label, and the gateway's own: 404 no route, 503 no upstream
	Truncated                  // the connection ended inside the reply; attributed if the head was labelled
	Malformed                  // the reply breaks HTTP; attributed if the fault came behind a labelled head
	Limit                      // the reply exceeds a limit; attributed likewise
	Timeout                    // not complete by the deadline; attributed likewise
	Aborted                    // in flight when the drain ended; attributed likewise
	Reset                      // the connection ended before the reply began
	ResetReused                // the same on a connection that had carried a reply before
	Refused                    // HTTP/2 says that the request was not processed: never routed
	DialError                  // no connection: never routed
	TLSError                   // no handshake: never routed

	outcomes // how many
)

// OutcomeCounts counts requests by outcome.
type OutcomeCounts [outcomes]uint64

// Examples are errors in words, by outcome.
type Examples [outcomes]string

var outcomeNames = [outcomes]string{"", "answered", "no_label", "bad_label", "gateway", "truncated", "malformed", "limit",
	"timeout", "aborted", "reset", "reset_reused", "refused", "dial_error", "tls_error"}

// String is the name in reports.
func (o Outcome) String() string {
	if o < outcomes {
		return outcomeNames[o]
	}
	return "unknown"
}

// MarshalText gives the name.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// Outcomes lists all outcomes in the order of reports.
func Outcomes() []Outcome {
	all := make([]Outcome, 0, outcomes)
	for o := Answered; o < outcomes; o++ {
		all = append(all, o)
	}
	return all
}

// Routed says whether a request with this outcome may have reached the draw of a version. Those that did not are shown
// and are no evidence; that is settled before a draw, so leaving them out biases nothing.
func (o Outcome) Routed() bool { return o != Refused && o != DialError && o != TLSError }

// Complete says whether the whole reply arrived.
func (o Outcome) Complete() bool { return o >= Answered && o <= Gateway }
