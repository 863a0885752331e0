package far

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// Settings are what may change between two measurements. The zero Settings answer at once, as v1 only.
type Settings struct {
	Share    float64       // of v2, in [0, 1]: each reply draws its version
	Delays   time.Duration // from a request to its reply of v1
	DelaysV2 time.Duration // the same of v2
	StatusV2 int           // of v2's replies, so that tools that read no header can count versions; 0: 200
	Arrivals bool          // keep the time of every request
}

// Addresses are where the far side listens, and the file with its authority.
type Addresses struct{ Plain, TLS, H2, CA string }

// Reading is what was counted since the last change of settings. Times are nanoseconds of one steady clock.
type Reading struct {
	Now       int64
	First     int64 // when the first request came; 0 before
	Last      int64
	Requests  uint64 // whole requests that arrived
	V1, V2    uint64 // replies written
	Unwritten uint64 // replies that could not be written
	Opened    uint64 // connections
	CPU       int64  // of this process since it began, user and system
	Arrivals  []int64
}

// Side is a far side that runs, as the benchmark sees it.
type Side struct {
	Addresses
	Process *os.Process
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

// Start runs this program again with the argument serve, on one core, and waits until it listens. The authority's
// certificate is written to the file ca.
func Start(core int, ca string) (*Side, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &Side{command: exec.Command("taskset", "-c", strconv.Itoa(core), self, "serve", ca)}
	// The loop never yields: nobody needs to interrupt it for a fair share or a collection.
	s.command.Env = append(os.Environ(), "GODEBUG=asyncpreemptoff=1", "GOGC=off", "GOMAXPROCS=1")
	s.command.Stderr = os.Stderr
	if s.in, err = s.command.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.command.Start(); err != nil {
		return nil, fmt.Errorf("starting the far side: %w", err)
	}
	s.out, s.Process = bufio.NewReaderSize(out, 1<<20), s.command.Process
	if err := s.receive(&s.Addresses); err != nil {
		return nil, fmt.Errorf("starting the far side: %w", err)
	}
	return s, nil
}

// Set changes the settings and begins to count anew.
func (s *Side) Set(to Settings) error {
	if err := json.NewEncoder(s.in).Encode(to); err != nil {
		return err
	}
	var r Reading
	return s.receive(&r)
}

// Read gives the counts.
func (s *Side) Read() (r Reading, err error) {
	if _, err = io.WriteString(s.in, "\n"); err == nil {
		err = s.receive(&r)
	}
	return r, err
}

// Close ends the far side.
func (s *Side) Close() {
	_ = s.in.Close()
	_ = s.command.Wait()
}

func (s *Side) receive(v any) error {
	line, err := s.out.ReadBytes('\n')
	if err != nil {
		return err
	}
	return json.Unmarshal(line, v)
}
