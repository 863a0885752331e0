package mesh

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"k8s.io/cli-runtime/pkg/genericclioptions"
)

// A list that takes so long that the API server forgets its state goes on with the rest, and shows nothing twice. A real server
// forgets after minutes; this one at once, in the words of the real one.
func TestPagesGoOnWhereHistoryEnds(t *testing.T) {
	page := func(name, next string) string {
		return fmt.Sprintf(`{"apiVersion":"networking.istio.io/v1","kind":"VirtualServiceList","metadata":{"resourceVersion":"7","continue":%q},
			"items":[{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":%q}}]}`, next, name)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case r.URL.Path == "/apis/networking.istio.io":
			fmt.Fprint(w, `{"kind":"APIGroup","versions":[{"groupVersion":"networking.istio.io/v1","version":"v1"}]}`)
		case r.URL.Query().Get("continue") == "":
			fmt.Fprint(w, page("a", "old"))
		case r.URL.Query().Get("continue") == "old":
			w.WriteHeader(http.StatusGone)
			fmt.Fprint(w, `{"kind":"Status","apiVersion":"v1","metadata":{"continue":"rest"},"status":"Failure","reason":"Expired","code":410,
				"message":"The provided continue parameter is too old to display a consistent list result."}`)
		default:
			fmt.Fprint(w, page("b", ""))
		}
	}))
	defer server.Close()
	flags := genericclioptions.NewConfigFlags(false)
	flags.APIServer = &server.URL
	c, err := (&Kubeconfig{Flags: flags, Warnings: t.Output()}).Client()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	from, err := c.Pages(t.Context(), Query{Kind: VirtualService}, func(page []Object) error {
		for _, o := range page {
			names = append(names, o.GetName())
		}
		return nil
	})
	if err != nil || from != "7" || !slices.Equal(names, []string{"a", "b"}) {
		t.Errorf("%v from %q, %v; want a and b from 7", names, from, err)
	}
}
