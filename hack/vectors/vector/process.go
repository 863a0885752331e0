package vector

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/mesh-split/mesh-split/verify/stats"
	"github.com/mesh-split/mesh-split/verify/verdict"
)

// Statistics vectors that run a process step by step: change point, watch, decisions.

func checkChange(c *checker, raw json.RawMessage) error {
	var v struct {
		Labels      string
		POld        []float64 `json:"p_old"`
		PNew        []float64 `json:"p_new"`
		Threshold   float64
		Window      int
		Alpha       float64
		LnR         []number `json:"ln_r"`
		Alarm       int
		EvaluatedAt int `json:"evaluated_at"`
		TauHat      int `json:"tau_hat"`
		Set         []int
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	d := stats.NewChange(v.POld, v.PNew, v.Threshold, v.Window)
	alarm := 0
	for i, digit := range v.Labels {
		stopped := d.Observe(int(digit-'0'), int64(i))
		if i < len(v.LnR) {
			c.near(fmt.Sprintf("ln_r[%d]", i), d.LogR(), v.LnR[i])
		}
		if stopped {
			alarm = i + 1
			break
		}
	}
	c.equal("alarm", alarm, v.Alarm)
	c.equal("evaluated_at", d.Labels(), v.EvaluatedAt)
	c.equal("tau_hat", d.Tau(), v.TauHat)
	c.equal("set", d.Set(v.Alpha), v.Set)
	return nil
}

func checkWatch(c *checker, raw json.RawMessage) error {
	var v struct {
		T, D   float64
		Block  uint64
		Counts []uint64
		Grid   int
		LnM    []number `json:"ln_m"`
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	w := stats.NewWatch([]stats.Band{stats.BandOf(v.T, v.D)}, math.Inf(1))
	c.equal("grid", w.Bets(), v.Grid)
	for i, s := range v.Counts {
		w.Block([]uint64{s}, v.Block, 0)
		c.near(fmt.Sprintf("ln_m[%d]", i), w.LogM(), v.LnM[i])
	}
	return nil
}

type look struct {
	N      uint64
	Counts []uint64
	U      uint64
}

func (l look) evidence() *verdict.Evidence {
	return &verdict.Evidence{Requests: l.N, Counts: l.Counts, Unattributed: l.U}
}

func checkDecision(c *checker, raw json.RawMessage) error {
	var v struct {
		Weights         []int64
		Tolerance       []float64
		Alpha           float64
		MinRequests     uint64  `json:"min_requests"`
		MaxRequests     uint64  `json:"max_requests"`
		LeakEps         float64 `json:"leak_eps"`
		MaxUnattributed float64 `json:"max_unattributed"`
		Looks           []look
		Drained         look
		Connections     [][]uint64
		Expect          struct {
			StopAtLook int `json:"stop_at_look"`
			Trigger    string
			Verdict    string
			Reason     string
			ExitCode   int `json:"exit_code"`
			Latched    []string
		}
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	q := verdict.Question{Weights: v.Weights, Tolerance: v.Tolerance, Alpha: v.Alpha, MinRequests: max(1, v.MinRequests),
		MaxRequests: v.MaxRequests, LeakBound: v.LeakEps, MaxUnattributed: v.MaxUnattributed}
	if v.MaxUnattributed == 0 {
		q.MaxUnattributed = verdict.None
	}
	p, err := verdict.New(q)
	if err != nil {
		return err
	}
	at, stop := len(v.Looks)-1, verdict.StopBudget // time runs out if nothing else stops it
	for i, l := range v.Looks {
		s := p.Look(l.evidence())
		if s == verdict.StopNone && l.N >= v.MaxRequests {
			s = verdict.StopBudget
		}
		if s != verdict.StopNone {
			at, stop = i, s
			break
		}
	}
	connections := make([]verdict.Evidence, len(v.Connections))
	for i, row := range v.Connections {
		k := len(row) - 1
		l := look{Counts: row[:k], U: row[k]}
		for _, n := range row {
			l.N += n
		}
		connections[i] = *l.evidence()
	}
	d := p.Decide(v.Drained.evidence(), connections)
	c.equal("stop_at_look", at, v.Expect.StopAtLook)
	c.equal("trigger", stop.String(), v.Expect.Trigger)
	c.equal("verdict", d.Verdict.String(), v.Expect.Verdict)
	c.equal("reason", d.Reasons[0].Code, v.Expect.Reason)
	c.equal("exit_code", int(d.Exit), v.Expect.ExitCode)
	c.equal("latched", d.Latched, v.Expect.Latched)
	return nil
}
