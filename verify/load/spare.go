package load

import (
	"runtime"
	"sync"
)

// processors is how many goroutines may compute at once in this whole process, which is why it is kept in one place for it.
var processors struct {
	mu     sync.Mutex // guards what follows
	users  int
	before int // what it was before the first of them
}

// spareProcessor keeps one more processor than there are loops (or pacers), until release is called. Each holds one, also in the
// wait that the scheduler knows of; with none to spare the scheduler would take it away in every wait of more than 20 µs,
// and watch so closely for the next that a run that waits often computes a sixth more.
func spareProcessor(loops int) (release func()) {
	p := &processors
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.users++; p.users == 1 {
		p.before = runtime.GOMAXPROCS(0)
	}
	if runtime.GOMAXPROCS(0) <= loops {
		runtime.GOMAXPROCS(loops + 1)
	}
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.users--; p.users == 0 {
			runtime.GOMAXPROCS(p.before)
		}
	}
}
