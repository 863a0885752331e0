package main

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// stats is the answer of GET /-/stats.
type stats struct {
	Version     string            `json:"version"`
	Destination string            `json:"destination,omitempty"`
	Requests    uint64            `json:"requests"` // since the start, probes left out; replied, in flight and given up
	ByStatus    map[string]uint64 `json:"byStatus"` // replies by status; "499" is a caller that went away
	InFlight    int64             `json:"inFlight"`
}

// adminHandler serves faults and counts. Whoever reaches it may break the application, so it is never on the
// application's own port.
func (a *app) adminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /-/stats", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, a.stats()) })
	mux.HandleFunc("GET /-/faults", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, a.faults.Load()) })
	mux.HandleFunc("DELETE /-/faults", func(w http.ResponseWriter, _ *http.Request) {
		a.faults.Store(noFaults())
		writeJSON(w, a.faults.Load())
	})
	mux.HandleFunc("POST /-/faults", func(w http.ResponseWriter, r *http.Request) {
		// A page of another site may make a browser post a form, yet not JSON: that needs leave the browser asks for.
		if r.Header.Get("Content-Type") != "application/json" {
			http.Error(w, "content-type must be application/json", http.StatusUnsupportedMediaType)
			return
		}
		f, err := parseFaults(json.NewDecoder(http.MaxBytesReader(w, r.Body, 4<<10)))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		a.faults.Store(f)
		writeJSON(w, f)
	})
	return mux
}

func (a *app) stats() stats {
	s := stats{Version: a.version, Destination: a.destination, ByStatus: map[string]uint64{},
		Requests: a.number.Load(), InFlight: a.inFlight.Load()}
	for status := range a.byStatus {
		if n := a.byStatus[status].Load(); n > 0 {
			s.ByStatus[strconv.Itoa(status)] = n
		}
	}
	return s
}

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(value) // an error means that the caller is gone
}
