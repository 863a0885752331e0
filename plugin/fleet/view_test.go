package fleet

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/verify/fault"
)

func sight(pod string, state route.LiveState, weights []int64, at time.Time, err error) mesh.Sight {
	return mesh.Sight{Pod: mesh.Pod{Namespace: "istio-system", Name: pod, Ready: true}, At: at, Err: err,
		LiveReport: route.LiveReport{State: state, Weights: weights, LastUpdated: "2026-11-22T13:21:07Z"}}
}

func TestView(t *testing.T) {
	entry := route.Entry{Section: route.HTTP, Destinations: []route.Destination{{Short: "prod", Effective: 70}, {Short: "stage", Effective: 30}}}
	start := time.Unix(1000, 0)
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	all := View{Entry: entry, Since: start, Sights: []mesh.Sight{
		sight("gw-0", route.Live, []int64{70, 30}, at(131), nil), sight("gw-1", route.Live, []int64{70, 30}, at(108), nil)}}
	if first, last := all.Times(); !all.Live() || first != 108*time.Millisecond || last != 131*time.Millisecond || all.String() != "2/2 gateways hold 70/30" || all.Cause() != "" {
		t.Errorf("two live gateways: %s, live %v, times %v %v, cause %q", all, all.Live(), first, last, all.Cause())
	}
	if p := all.Propagation(); p == nil || p.FirstLive != 0.108 || p.LastLive != 0.131 {
		t.Errorf("propagation %+v, want 0.108 and 0.131 s", p)
	}

	mixed := View{Entry: entry, Sights: []mesh.Sight{
		sight("gw-0", route.Live, []int64{70, 30}, at(1), nil), sight("gw-1", route.Stale, []int64{1, 0}, at(2), nil),
		sight("gw-2", route.Live, nil, at(3), errors.New("no answer"))}} // an Envoy that cannot be read is not live, whatever it was
	if mixed.Live() || mixed.String() != "1/3 gateways hold 70/30" {
		t.Errorf("a stale and a silent gateway: %s, live %v", mixed, mixed.Live())
	}
	for _, words := range []string{"istio-system/gw-1 still runs 100/0", "13:21:07", "istio-system/gw-2 could not be read"} {
		if !strings.Contains(mixed.Cause(), words) {
			t.Errorf("cause %q lacks %q", mixed.Cause(), words)
		}
	}
	var table strings.Builder
	mixed.WriteTable(&table)
	for _, words := range []string{"istio-system/gw-1   100/0  STALE", "istio-system/gw-2   UNREADABLE", "no answer"} {
		if !strings.Contains(table.String(), words) {
			t.Errorf("table lacks %q:\n%s", words, table.String())
		}
	}
	gateways := mixed.Gateways()
	if gateways[1].State != "stale" || gateways[1].Shares["prod"] != 1 || gateways[2].State != "unreadable" || gateways[2].Message != "no answer" {
		t.Errorf("report of gateways: %+v", gateways)
	}
	if (View{Entry: entry}).Live() {
		t.Error("no gateway at all counts as live")
	}
}

func TestRefusal(t *testing.T) {
	right := fault.New(fault.Failed, "ask for a role", "no right to create pods/portforward in namespace istio-system")
	view := View{Sights: []mesh.Sight{sight("gw-0", route.LiveUnknown, nil, time.Time{}, right)}}
	if !errors.Is(view.Refusal(), right) {
		t.Errorf("Refusal() = %v, want the missing right", view.Refusal())
	}
	silent := View{Sights: []mesh.Sight{sight("gw-0", route.LiveUnknown, nil, time.Time{}, errors.New("EOF"))}}
	unseen := View{Sights: []mesh.Sight{sight("gw-0", route.LiveUnknown, nil, time.Time{}, nil)}}
	unseen.Sights[0].Why = "tcp routes are not in the route configurations"
	if err := unseen.Refusal(); err == nil || !strings.Contains(err.Error(), unseen.Sights[0].Why) || unseen.Behind() {
		t.Errorf("what cannot be seen: %v, behind %v", err, unseen.Behind())
	}
	if err := (Views{{}, unseen}).Refusal(); err == nil || (Views{{}, silent}).Refusal() != nil {
		t.Errorf("of several entries the second cannot be seen: %v", err)
	}
	if silent.Refusal() != nil {
		t.Errorf("a gateway that hung up is no missing right: %v", silent.Refusal())
	}
}
