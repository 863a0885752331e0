// Package svg draws the few shapes that the pictures of the documentation are made of. It takes positions in pixels of a fixed
// picture and gives the text of an SVG file; it refuses to know what the picture shows. Its subtle point: a picture brings its
// own white ground, so that it can be read on light and dark pages.
package svg

import (
	"fmt"
	"strings"
)

// A picture is 720 × 300, with room for the axes.
const (
	Width, Height            = 720.0, 300.0
	Left, Right, Top, Bottom = 60.0, 20.0, 40.0, 260.0 // Right is a margin, the others are positions
)

// escape is for text that may hold what SVG reads as markup.
var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// Canvas is a picture being drawn. What it has no method for is written to it as text.
type Canvas struct{ strings.Builder }

// New begins a picture.
func New(title string) *Canvas {
	c := &Canvas{}
	fmt.Fprintf(c, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" font-family="sans-serif" font-size="12" fill="#333">`+"\n", Width, Height)
	fmt.Fprintf(c, `<title>%s</title><rect width="100%%" height="100%%" fill="#fff"/>`+"\n", escape.Replace(title))
	c.Text(Left, 22, "start", title)
	return c
}

// Text writes s; anchor is start, middle or end, and says which part of s is at x.
func (c *Canvas) Text(x, y float64, anchor, s string) {
	fmt.Fprintf(c, `<text x="%.1f" y="%.1f" text-anchor="%s">%s</text>`+"\n", x, y, anchor, escape.Replace(s))
}

// Rect fills a rectangle; x and y are its upper left corner.
func (c *Canvas) Rect(x, y, w, h float64, fill string) {
	fmt.Fprintf(c, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`+"\n", x, y, w, h, fill)
}

// End gives the whole picture.
func (c *Canvas) End() string {
	c.WriteString("</svg>\n")
	return c.String()
}
