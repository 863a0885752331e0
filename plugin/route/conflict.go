package route

import "time"

// Difference is a place where two readings of an object differ.
type Difference struct {
	Path     string // JSON pointer
	Old, New any    // nil for absent
}

// Writer is one entry of metadata.managedFields.
type Writer struct {
	Manager   string
	Operation string    // Apply or Update
	Time      time.Time // zero if unknown
	Spec      bool      // it owns fields of the spec
}

// ConflictState says how a re-read object stands to a plan that was refused.
type ConflictState uint8

// The states.
const (
	ConflictUnknown ConflictState = iota // not compared
	ConflictDone                         // the plan is in the object: our write arrived though the answer did not
	ConflictRefused                      // all tests hold: the server refused for another reason; show its words, do not retry
	ConflictReplan                       // something else changed, the weights did not: plan again and send
	ConflictChanged                      // weights or destinations changed: E_CHANGED
)

// Conflict is the answer of [Plan.Recheck].
type Conflict struct {
	State       ConflictState
	Differences []Difference // what changed at the plan's places, for ConflictChanged
	Who         *Writer      // newest writer of the spec, or nil
	Err         error        // E_CHANGED with who, old, new and plan; nil for other states
}

// Recheck compares a plan with the object as it is now.
func (p *Plan) Recheck(now Object) Conflict { panic("being built") }

// Altered are the differences between the plan's result and the server's answer, server metadata aside: W_ALTERED when
// there are any.
func (p *Plan) Altered(answer Object) []Difference { panic("being built") }

// Writers are the managers of an object, newest first.
func Writers(object Object) []Writer { panic("being built") }
