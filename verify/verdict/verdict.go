package verdict

import (
	"encoding"
	"fmt"
)

// Verdict is the answer to a [Question]. The zero value is Inconclusive: an answer nobody set is no answer.
type Verdict uint8

// The verdicts.
const (
	Inconclusive Verdict = iota
	Pass
	Fail
)

var (
	_ encoding.TextMarshaler   = Verdict(0)
	_ encoding.TextUnmarshaler = (*Verdict)(nil)
)

var verdictNames = [...]string{Inconclusive: "INCONCLUSIVE", Pass: "PASS", Fail: "FAIL"}

func (v Verdict) String() string {
	if int(v) < len(verdictNames) {
		return verdictNames[v]
	}
	return fmt.Sprintf("Verdict(%d)", uint8(v))
}

// MarshalText gives the verdict in capitals, as in reports.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (v *Verdict) UnmarshalText(text []byte) error {
	for i, name := range verdictNames {
		if string(text) == name {
			*v = Verdict(i)
			return nil
		}
	}
	return fmt.Errorf("verdict %q is not PASS, FAIL or INCONCLUSIVE", text)
}

// Stop says why sending should end; StopNone says go on.
type Stop uint8

// The stops a look can ask for, and the one it cannot.
const (
	StopNone         Stop = iota
	StopFail              // a share is outside its band, a zero-weight version answered, or an error alarm was raised
	StopPass              // everything PASS needs is proved
	StopUnattributed      // more replies have no version than allowed: more requests will not change that
	StopError             // the evidence contradicts itself or a number could not be computed: no verdict is possible
	StopBudget            // requests, time or interruption: the caller's to say, never returned by a look
)

var stopNames = [...]string{"", "fail", "pass", "unattributed", "error", "budget"}

func (s Stop) String() string {
	if int(s) < len(stopNames) {
		return stopNames[s]
	}
	return fmt.Sprintf("Stop(%d)", uint8(s))
}
