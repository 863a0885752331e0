//go:build unix

package sandbox_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// A page asks four times a second, so that it takes most of a minute to fill; here its clock runs 25 times as fast. The
// browser adds this by itself, and the page's security policy has no say in it.
const hurry = `const later = window.setTimeout; window.setTimeout = (what, after) => later(what, after / 25);`

var legend = regexp.MustCompile(`^v1 in prod ([\d.]+) % · v2 in stage ([\d.]+) % of the last 200 answers$`)

// In a real browser, through a real Envoy: the page says who answers, draws it in true proportion, and follows a change of the
// weights without being loaded again. MESH_SPLIT_SCREENSHOTS names a folder for pictures of it.
func TestPageInBrowser(t *testing.T) {
	browser := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			browser = path
			break
		}
	}
	if browser == "" {
		t.Skip("NOT RUN: no Chromium here (apt-get install chromium): the demo application's page was not looked at")
	}
	split(t, shared, 70, 30, 0, 1)

	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.WindowSize(800, 640))
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()

	if _, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: hurry}); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(ctx, chromedp.Navigate(shared.GatewayURL())); err != nil {
		t.Fatal(err)
	}
	title := look[string](t, ctx, `document.title`)
	await(t, ctx, "of the last 200 answers$")
	// In one go, since the page draws on; without the animation, since only its end is in proportion.
	widths := look[[]float64](t, ctx, `for (const part of document.querySelectorAll('#bar span')) { part.style.transition = 'none'; }
		window.says = document.getElementById('legend').textContent;
		[...document.querySelectorAll('#bar span')].map(part => part.getBoundingClientRect().width)`)
	says := look[string](t, ctx, `window.says`)
	if title != "testing-app v1" && title != "testing-app v2" {
		t.Errorf("title %q", title)
	}
	found := legend.FindStringSubmatch(says)
	if found == nil {
		t.Fatalf("the page says %q", says)
	}
	v1, _ := strconv.ParseFloat(found[1], 64)
	v2, _ := strconv.ParseFloat(found[2], 64)
	if v2 < 14 || v2 > 46 || v1+v2 != 100 { // 30 expected of 200 answers, five standard deviations are 16 points
		t.Errorf("at 70/30 the page says %q", says)
	}
	if len(widths) != 2 || widths[0] < 50 {
		t.Fatalf("the bar's parts are %v wide", widths)
	}
	if drawn := 100 * widths[1] / (widths[0] + widths[1]); drawn < v2-0.2 || drawn > v2+0.2 { // a pixel of the bar is 0.15 %
		t.Errorf("the bar shows %.1f %% for v2, the text says %s", drawn, found[2])
	}
	picture(t, ctx, "light")
	picture(t, ctx, "dark")

	split(t, shared, 0, 100, 0, 1)
	await(t, ctx, "^v2 in stage 100.0 %")
}

// look is the value of an expression in the page.
func look[T any](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// await waits until the page's legend matches a pattern. It asks from here, for the page's clock is not to be trusted.
func await(t *testing.T, ctx context.Context, pattern string) {
	t.Helper()
	wanted := regexp.MustCompile(pattern)
	eventually(t, "the page says "+pattern, func() bool {
		return wanted.MatchString(look[string](t, ctx, `document.getElementById('legend').textContent`))
	})
}

// picture keeps what the page looks like, for people.
func picture(t *testing.T, ctx context.Context, scheme string) {
	t.Helper()
	folder := os.Getenv("MESH_SPLIT_SCREENSHOTS")
	if folder == "" {
		return
	}
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
	if err != nil {
		t.Fatal(err)
	}
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, "page-"+scheme+".png"), png, 0o644)
	}
	if err != nil {
		t.Error(err)
	}
}
