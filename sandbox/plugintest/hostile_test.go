//go:build unix

package plugintest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// said runs the plugin and gives all that it wrote. Text that would act on a terminal fails the test: escape sequences, a carriage
// return that hides what stands before it, marks that turn the direction of reading, octets that are no UTF-8.
func said(t *testing.T, path string, words ...string) (text string, exit int) {
	t.Helper()
	c := plugin(t.Context(), path, words...)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	exit = code(c.Run())
	text = out.String()
	if !utf8.ValidString(text) {
		t.Errorf("%v: no UTF-8: %q", words, text)
	}
	for _, r := range text {
		if r < 0x20 && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			t.Errorf("%v: writes %q to the terminal:\n%q", words, r, text)
			break
		}
	}
	if exit < 0 || strings.Contains(text, "goroutine ") {
		t.Errorf("%v: exit code %d\n%s", words, exit, text)
	}
	return text, exit
}

// Whoever may write an object may not write on the terminal of who looks at it.
func TestHostileText(t *testing.T) {
	path, w := bin(t), newWorld(t)
	const evil = "\x1b]0;owned\x07\x1b[2J\x1b[31m\r\u009b1A\u202egnp"
	o := read(t, demoRoute("hostile", "60", "40", ""))
	entry := func() object {
		entries, _, _ := unstructured.NestedFieldNoCopy(o.Object, "spec", "http")
		return entries.([]any)[0].(object)
	}
	entry()["name"] = "everyone " + evil
	entry()["match"] = []any{object{"headers": object{"x-who": object{"exact": evil}}}}
	history, err := json.Marshal([]any{
		object{"v": 1, "id": 2, "at": evil, "by": evil, "op": "set", "route": "http[0] " + evil, "d": []any{"a" + evil, "b"}, "from": []any{1, 2}, "to": []any{60, 40}, "verdict": "none"},
		object{"v": 9, "id": 1, "by": evil, "op": evil}})
	if err != nil {
		t.Fatal(err)
	}
	o.SetAnnotations(map[string]string{historyKey: string(history), "kubectl.kubernetes.io/last-applied-configuration": evil, "argocd.argoproj.io/tracking-id": evil})
	o.SetLabels(map[string]string{"script": "hostile"})
	back := w.pastWebhook() // istiod would refuse the hosts
	t.Cleanup(back)
	_ = unstructured.SetNestedStringSlice(o.Object, []string{"hostile.example.com", evil + ".example.com"}, "spec", "hosts")
	w.create(o)
	for _, words := range [][]string{
		{"get"}, {"get", "hostile", "-o", "wide"}, {"get", "hostile", "-o", "json"}, {"get", "hostile", "-o", "yaml"},
		{"history", "hostile"}, {"history", "hostile", "-o", "wide"}, {"history", "hostile", "-o", "json"},
		{"status", "hostile", "--observe=0"}, {"status", "hostile", "--observe=0", "-o", "json"}, {"check", "hostile"}, {"check", "hostile", "stage=50"},
		{"set", "hostile", "stage=50", "--dry-run=client"}, {"set", "hostile", "stage=50", "--dry-run=server", "-o", "json"}, {"set", "hostile", evil + "=50"},
		{"undo", "hostile"}, {"undo", "hostile", "--dry-run=client"}, {"wait", "hostile", "--timeout=300ms"}, {"verify", "hostile", "--passive", "--max-time=300ms"},
		{"verify", "hostile", "--max-time=1s", "--host", "hostile.example.com"}, {"verify", "hostile", "--max-time=1s"},
		{"which", "http://hostile.example.com/"}, {"which", "http://hostile.example.com/", "-H", "x-who: " + evil}, {"which", "http://hostile.example.com/", "-o", "json"},
		{"set", evil, "stage=50"}, {"get", evil}, {"status", "hostile", "--route", evil}, {"set", "hostile", "stage=50", "--override-owner=argocd", "--wait=false"}, {"undo", "hostile", "--wait=false", "--override-owner=argocd"},
	} {
		said(t, path, words...)
	}
	if text, _ := said(t, path, "get", "hostile"); !strings.Contains(text, `\x1b]0;owned\a`) {
		t.Errorf("what stands there is not shown:\n%s", text)
	}
}

// What is no history of ours is never obeyed: it is said, replaced where it is no list, and kept where it is somebody else's item.
func TestHostileHistory(t *testing.T) {
	path, w := bin(t), newWorld(t)
	foreign := `{"v":9,"id":41,"op":"magic","secret":[1,2.50,"ü"]}`
	for i, row := range []struct {
		text string
		id   int64  // of the change that comes next
		kept string // must still be there afterwards
	}{
		{`not json`, 1, ""},
		{`{"v":1}`, 1, ""},
		{`[` + foreign + `]`, 42, foreign},
		{`[{"v":1,"id":3,"at":"","by":"","op":"set","route":"http[0]","d":["x"],"from":[1],"to":[-5],"verdict":"none"}]`, 4, `"to":[-5]`},
		{`[{"id":1e300},{"id":-7},null,7,"x",[[]]]`, 1, `1e300`},
		{strings.Repeat("[", 20000) + strings.Repeat("]", 20000), 1, ""},
		{"[" + strings.TrimSuffix(strings.Repeat(foreign+",", 4000), ",") + "]", 42, ""}, // more than an object may remember
	} {
		name := fmt.Sprintf("hostile-%d", i)
		o := read(t, demoRoute(name, "100", "0", ""))
		o.SetAnnotations(map[string]string{historyKey: row.text})
		w.create(o)
		said(t, path, "history", name)
		if text, exit := said(t, path, "undo", name, "--wait=false"); exit == 0 {
			t.Errorf("%s: undone: %s", name, text)
		}
		if weights := weightsOf(w.get("VirtualService", "default", name)); weights != "100 0" {
			t.Errorf("%s: a history that is not ours moved the weights to %s", name, weights)
		}
		if text, exit := said(t, path, "set", name, "stage=30", "--wait=false"); exit != 0 {
			t.Errorf("%s: exit code %d\n%s", name, exit, text)
			continue
		}
		now := w.get("VirtualService", "default", name)
		text := now.GetAnnotations()[historyKey]
		if last := newest(t, now); last.ID != row.id || !strings.Contains(text, row.kept) || len(text) > 8<<10 {
			t.Errorf("%s: change %d, want %d; %d octets are remembered, %q among them: %v", name, last.ID, row.id, len(text), row.kept, strings.Contains(text, row.kept))
		}
	}
}

// An object as large as the API server takes: 500 entries, close to 1 MiB. Nothing of it moves but two weights.
func TestHugeObject(t *testing.T) {
	path, w := bin(t), newWorld(t)
	o := read(t, demoRoute("huge", "100", "0", ""))
	var entries []any
	for i := range 500 {
		var match []any
		for j := range 8 {
			match = append(match, object{"headers": object{"x-key": object{"exact": fmt.Sprintf("%d-%d-%s", i, j, strings.Repeat("y", 200))}}})
		}
		to := func(host string, weight int64) object {
			return object{"destination": object{"host": host}, "weight": weight}
		}
		entries = append(entries, object{"name": fmt.Sprintf("entry-%d", i), "match": match, "route": []any{to(prod, 100), to(stage, 0)}})
	}
	_ = unstructured.SetNestedSlice(o.Object, entries, "spec", "http")
	before := w.create(o)
	data, err := before.MarshalJSON()
	if err != nil || len(data) < 1_000_000 {
		t.Fatalf("%d octets, %v", len(data), err)
	}
	start := time.Now()
	if text, exit := said(t, path, "get", "huge", "--no-headers"); exit != 0 || strings.Count(text, "\n") != 500 {
		t.Errorf("get: exit code %d, %d lines", exit, strings.Count(text, "\n"))
	}
	if text, exit := said(t, path, "set", "huge", "stage=30"); exit != 2 || len(text) > 20_000 {
		t.Errorf("no entry chosen: exit code %d, %d octets of explanation", exit, len(text))
	}
	if text, exit := said(t, path, "set", "huge", "stage=30", "--route", "entry-499"); exit != 0 || !strings.Contains(text, "✓ live") {
		t.Errorf("set: exit code %d\n%.2000s", exit, text)
	}
	t.Logf("%d octets: read, refused and changed in %v", len(data), time.Since(start))
	now := w.get("VirtualService", "default", "huge")
	if have := weightsOfEntry(now, 499); fmt.Sprint(have) != "[70 30]" {
		t.Errorf("the weights are %v", have)
	}
	delete(now.GetAnnotations(), historyKey)
	for i, weight := range []int64{100, 0} {
		destinationsOf(now, 499)[i].(object)["weight"] = weight
	}
	was, _ := json.Marshal(before.Object["spec"])
	is, _ := json.Marshal(now.Object["spec"])
	if !bytes.Equal(was, is) {
		t.Error("more than two weights moved")
	}
}

// All annotations of an object share 256 KiB: where no room is left the API server's words are passed on, and nothing is changed.
func TestNoRoomForHistory(t *testing.T) {
	path, w := bin(t), newWorld(t)
	o := read(t, demoRoute("full", "100", "0", ""))
	o.SetAnnotations(map[string]string{"example.com/big": strings.Repeat("x", 256<<10-len("example.com/big"))})
	before := w.create(o).GetResourceVersion()
	text, exit := said(t, path, "set", "full", "stage=30", "--wait=false")
	if exit != 1 || !strings.Contains(text, "metadata.annotations: Too long") || !strings.Contains(text, "hint: ") || len(text) > 5000 {
		t.Errorf("exit code %d\n%.3000s", exit, text)
	}
	if after := w.get("VirtualService", "default", "full").GetResourceVersion(); after != before {
		t.Error("a refused change wrote")
	}
}
