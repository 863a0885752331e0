package fleet

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/report"
)

// View is one moment of all gateways.
type View struct {
	Entry  route.Entry // whose weights are asked about
	Sights []mesh.Sight
	Since  time.Time // when the change was made; zero where none was
}

// Live is true when there is a gateway and every one holds the weights.
func (v View) Live() bool { return len(v.Sights) > 0 && v.live() == len(v.Sights) }

func (v View) live() int {
	n := 0
	for _, s := range v.Sights {
		if s.Live() {
			n++
		}
	}
	return n
}

// Weights writes weights as people do: "70/30".
func Weights(weights []int64) string {
	parts := make([]string, len(weights))
	for i, w := range weights {
		parts[i] = strconv.FormatInt(w, 10)
	}
	return strings.Join(parts, "/")
}

// held are the weights an Envoy holds. Where one destination gets everything it is a plain cluster without a weight, which
// people know as 100/0.
func held(s mesh.Sight) []int64 {
	weights, only := slices.Clone(s.Weights), -1
	for i, w := range weights {
		if w > 0 && only >= 0 {
			return weights
		}
		if w > 0 {
			only = i
		}
	}
	if only >= 0 {
		weights[only] = 100
	}
	return weights
}

// String counts: "2/2 gateways hold 70/30".
func (v View) String() string {
	return counted(v.live(), len(v.Sights)) + " " + Weights(v.Entry.Weights())
}

func counted(live, all int) string {
	noun := "gateways hold"
	if all == 1 {
		noun = "gateway holds"
	}
	return fmt.Sprintf("%d/%d %s", live, all, noun)
}

// Times are when the first and the last gateway were first seen live, after the change. Zero when it is not live, or when
// nothing was changed.
func (v View) Times() (first, last time.Duration) {
	if v.Since.IsZero() || !v.Live() {
		return 0, 0
	}
	first = v.Sights[0].At.Sub(v.Since)
	for _, s := range v.Sights {
		d := s.At.Sub(v.Since)
		first, last = min(first, d), max(last, d)
	}
	return max(0, first), max(0, last)
}

// State is the cell of the table: "70/30", "100/0  STALE", "unreadable: …".
func State(s mesh.Sight) string {
	switch {
	case s.Err != nil:
		return "UNREADABLE"
	case s.Live():
		return Weights(held(s))
	case s.State == route.Stale:
		return Weights(held(s)) + "  STALE"
	}
	return strings.ToUpper(s.State.String())
}

// WriteTable writes a row per gateway pod, and below it why some are not live.
func (v View) WriteTable(w io.Writer) {
	width := len("gateway pod")
	for _, s := range v.Sights {
		width = max(width, len(report.Safe(s.Pod.String())))
	}
	fmt.Fprintf(w, "  %-*s   %s\n", width, "gateway pod", "config")
	for _, s := range v.Sights {
		fmt.Fprintf(w, "  %-*s   %s\n", width, report.Safe(s.Pod.String()), State(s))
	}
	fmt.Fprintln(w)
	for _, s := range v.Sights {
		if why := reason(s); why != "" {
			fmt.Fprintf(w, "  note  %s: %s\n", report.Safe(s.Pod.String()), report.Safe(why))
		}
	}
}

// reason says why a gateway is not live, beyond what the table says.
func reason(s mesh.Sight) string {
	switch {
	case s.Err != nil:
		return s.Err.Error()
	case s.Error != "":
		return "it refused a configuration: " + s.Error
	case s.Live(), s.State == route.Stale:
		return ""
	}
	return s.Why
}

// Cause names the gateways that do not hold the weights, or is empty when all do.
func (v View) Cause() string {
	var parts []string
	for _, s := range v.Sights {
		pod := report.Safe(s.Pod.String())
		switch {
		case s.Live():
		case s.Err != nil:
			parts = append(parts, pod+" could not be read")
		case s.State == route.Stale:
			text := pod + " still runs " + Weights(held(s))
			if s.LastUpdated != "" {
				text += ", last updated " + report.Safe(s.LastUpdated)
			}
			if s.Error != "" {
				text += ", and refused what came after: " + report.Safe(s.Error)
			}
			parts = append(parts, text)
		default:
			parts = append(parts, pod+" "+report.Safe(s.Why))
		}
	}
	return strings.Join(parts, "; ")
}

// Behind is true when a gateway that could be read does not hold the weights.
func (v View) Behind() bool {
	return slices.ContainsFunc(v.Sights, func(s mesh.Sight) bool { return s.Err == nil && !s.Live() && s.State != route.LiveUnknown })
}

// Refusal is the error of a gateway that we have no right to look into, or where what is asked about cannot be seen; or nil.
func (v View) Refusal() error {
	for _, s := range v.Sights {
		var f *fault.Error
		if errors.As(s.Err, &f) && strings.HasPrefix(f.Error(), "no right") {
			return f
		}
		if s.Err == nil && s.State == route.LiveUnknown && s.Why != "" {
			return fault.New(fault.Failed, "the traffic alone tells", "what the gateways hold of %s cannot be read there: %s", v.Entry, s.Why)
		}
	}
	return nil
}

// Gateways is the View as part of a report.
func (v View) Gateways() []report.Gateway {
	var list []report.Gateway
	for _, s := range v.Sights {
		g := report.Gateway{Pod: s.Pod.String(), State: "unreadable"}
		if s.Err != nil {
			g.Message = s.Err.Error()
			list = append(list, g)
			continue
		}
		g.State, g.Message = s.State.String(), s.Why
		var sum int64
		weights := held(s)
		for _, w := range weights {
			sum += w
		}
		for i, w := range weights {
			if g.Weights == nil {
				g.Weights, g.Shares = map[string]int64{}, map[string]float64{}
			}
			name := v.Entry.Destinations[i].Short
			g.Weights[name] = w
			if sum > 0 {
				g.Shares[name] = float64(w) / float64(sum)
			}
		}
		list = append(list, g)
	}
	return list
}

// Propagation is how long the change took, or nil.
func (v View) Propagation() *report.Propagation {
	if v.Since.IsZero() || !v.Live() {
		return nil
	}
	first, last := v.Times()
	return &report.Propagation{FirstLive: first.Seconds(), LastLive: last.Seconds()}
}
