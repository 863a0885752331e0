package main

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
)

//go:embed page.css
var pageStyle string

//go:embed page.js
var pageScript string

//go:embed page.html
var pageText string

// renderPage makes the page and the content security policy that lets nothing run but the page's own script and style,
// and lets that script talk to nobody but the page's own address.
func renderPage(version, destination string) (body []byte, policy string) {
	var out bytes.Buffer
	err := template.Must(template.New("page").Parse(pageText)).Execute(&out, map[string]any{
		"Version": version, "Destination": destination,
		"Style": template.CSS(pageStyle), "Script": template.JS(pageScript),
	})
	if err != nil {
		panic(err) // the template and the labels are fixed at the start: a bug here
	}
	return out.Bytes(), "default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'" +
		"; script-src " + hash(pageScript) + "; style-src " + hash(pageStyle)
}

// hash is a CSP source for exactly this text. https://www.w3.org/TR/CSP3/#grammardef-hash-source
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
