package verdict

// Procedure is one run of the decision procedure. It is not safe for concurrent use.
type Procedure struct{ q Question }

// New checks the question and prepares the procedure. Errors are usage errors.
func New(q Question) (*Procedure, error) {
	q, err := q.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Procedure{q: q}, nil
}

// Look takes the evidence so far.
func (p *Procedure) Look(e *Evidence) Stop { return StopNone }

// Decide takes the last look.
func (p *Procedure) Decide(e *Evidence, connections []Evidence) Decision { return Decision{} }
