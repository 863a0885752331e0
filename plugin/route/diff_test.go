package route_test

import "testing"

func TestDiff(t *testing.T) {
	p := mustSet(t, virtualService(t, "shop", "web", `{hosts: ["*"], http: [{name: x, route: [{destination: {host: a}, weight: 100}, {destination: {host: b}}, {destination: {host: c}, weight: 0}]}]}`), "b=30")
	want := `--- prod-eu shop virtualservice/web (resourceVersion 4711)
+++ prod-eu shop virtualservice/web (planned)
@@ -11,9 +11,10 @@
     route:
     - destination:
         host: a
-      weight: 100
+      weight: 70
     - destination:
         host: b
+      weight: 30
     - destination:
         host: c
       weight: 0
`
	if got := p.Diff("prod-eu"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
