package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestFaultsByPost(t *testing.T) {
	tests := []struct {
		name, body string
		status     int
		contains   string
	}{
		{"every field", `{"latency":"50ms","errorRate":0.25,"errorStatus":503,"unready":true}`, 200,
			`{"latency":"50ms","errorRate":0.25,"errorStatus":503,"unready":true}`},
		{"what is left out is off, and errors are 500", `{"errorRate":1}`, 200,
			`{"latency":"0s","errorRate":1,"errorStatus":500,"unready":false}`},
		{"all values out of range are named at once", `{"latency":"-1s","errorRate":2,"errorStatus":200}`, 400,
			"latency -1s is not within 0 and 1m0s\nerrorRate 2 is not within 0 and 1\nerrorStatus 200 is not within 400 and 599"},
		{"fifty minutes is a typing mistake", `{"latency":"50m"}`, 400, "latency 50m0s is not within"},
		{"an unknown field would be a fault that never comes", `{"errorrate_":1}`, 400, `unknown field "errorrate_"`},
		{"a number has no unit", `{"latency":50}`, 400, "latency"},
		{"not JSON", `latency=50ms`, 400, "invalid character"},
	}
	for _, tt := range tests {
		a := newApp("v1", "prod")
		r := httptest.NewRequest("POST", "/-/faults", strings.NewReader(tt.body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		a.adminHandler().ServeHTTP(w, r)
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.contains) {
			t.Errorf("%s: POST %s gave %d %q, want %d %q", tt.name, tt.body, w.Code, w.Body, tt.status, tt.contains)
		}
		if healthy := *a.faults.Load() == *noFaults(); healthy != (tt.status != 200) {
			t.Errorf("%s: faults are %+v after status %d", tt.name, a.faults.Load(), w.Code)
		}
	}
}

func TestFaultsNeedJSON(t *testing.T) {
	a := newApp("v1", "prod")
	r := httptest.NewRequest("POST", "/-/faults", strings.NewReader(`{"errorRate":1}`))
	r.Header.Set("Content-Type", "text/plain") // what another site's page may send without being asked
	w := httptest.NewRecorder()
	a.adminHandler().ServeHTTP(w, r)
	if w.Code != http.StatusUnsupportedMediaType || a.faults.Load().ErrorRate != 0 {
		t.Errorf("got %d and faults %+v, want 415 and none", w.Code, a.faults.Load())
	}
}

func TestFaultsSwitchedOff(t *testing.T) {
	a := newApp("v1", "prod")
	a.faults.Store(&faults{ErrorRate: 1, ErrorStatus: 500})
	if r := get(t, a.adminHandler(), "DELETE", "/-/faults", ""); r.StatusCode != 200 {
		t.Errorf("DELETE gave %s", r.Status)
	}
	if r := get(t, a, "GET", "/", ""); r.StatusCode != 200 {
		t.Errorf("after DELETE the application still answers %s", r.Status)
	}
}

// Through a gateway every caller can reach every path of the application's port, and seems to come from loopback.
func TestAdminIsNotOnTheApplicationsPort(t *testing.T) {
	a := newApp("v1", "prod")
	r := httptest.NewRequest("POST", "/-/faults", strings.NewReader(`{"errorRate":1}`))
	r.Header.Set("Content-Type", "application/json")
	r.RemoteAddr = "127.0.0.1:40000"
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	if w.Body.String() != "testing-app v1 (prod)\n" || a.faults.Load().ErrorRate != 0 {
		t.Errorf("POST /-/faults on the application's port gave %q and faults %+v", w.Body, a.faults.Load())
	}
}
