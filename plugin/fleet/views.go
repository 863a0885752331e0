package fleet

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/verify/report"
)

// Views are one moment of all gateways, a View for each entry, of which there is at least one. A gateway counts when it holds
// every entry.
type Views []View

func views(entries []route.Entry, sights [][]mesh.Sight, since time.Time) Views {
	list := make(Views, len(entries))
	for i, e := range entries {
		list[i] = View{Entry: e, Sights: sights[i], Since: since}
	}
	return list
}

// Live is true when there is a gateway and every one holds the weights of every entry.
func (v Views) Live() bool {
	return !slices.ContainsFunc(v, func(one View) bool { return !one.Live() })
}

// String counts: "2/2 gateways hold 70/30", with several entries "2/2 gateways hold http[0] 70/30, http[1] 50/50".
func (v Views) String() string {
	if len(v) == 1 {
		return v[0].String()
	}
	held, parts := 0, make([]string, len(v))
	for i, one := range v {
		parts[i] = one.Entry.Slot() + " " + Weights(one.Entry.Weights())
	}
	for pod := range v[0].Sights {
		if !slices.ContainsFunc(v, func(one View) bool { return !one.Sights[pod].Live() }) {
			held++
		}
	}
	return counted(held, len(v[0].Sights)) + " " + strings.Join(parts, ", ")
}

// Times are when the first and the last gateway were first seen to hold everything, after the change. Zero when it is not live,
// or when nothing was changed.
func (v Views) Times() (first, last time.Duration) {
	if !v.Live() {
		return 0, 0
	}
	return v[0].Times() // a gateway is asked until it holds all entries, so all have the same time
}

// WriteTable writes a row per gateway pod, for each entry.
func (v Views) WriteTable(w io.Writer) {
	for _, one := range v {
		if len(v) > 1 {
			fmt.Fprintf(w, "  %s\n", report.Safe(one.Entry.Label()))
		}
		one.WriteTable(w)
	}
}

// Cause names the gateways that do not hold the weights, or is empty when all do.
func (v Views) Cause() string {
	if len(v) == 1 {
		return v[0].Cause()
	}
	var parts []string
	for _, one := range v {
		if cause := one.Cause(); cause != "" {
			parts = append(parts, one.Entry.Slot()+": "+cause)
		}
	}
	return strings.Join(parts, "; ")
}

// Refusal is that of the first entry which has one, or nil.
func (v Views) Refusal() error {
	for _, one := range v {
		if err := one.Refusal(); err != nil {
			return err
		}
	}
	return nil
}
