package report

import (
	"encoding/json"
	"io"
)

// WriteJSON writes one indented JSON document and a line end.
func WriteJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
