package report

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/mesh-split/mesh-split/verify/safe"
)

// WriteJSON writes one indented JSON document and a line end.
func WriteJSON(w io.Writer, v any) error {
	var document bytes.Buffer
	enc := json.NewEncoder(&document)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(safe.JSON(document.Bytes()))
	return err
}
