// Package safe makes text that came from elsewhere harmless on a terminal: names, annotations, replies and error messages may hold
// escape sequences, a carriage return, or marks that turn the direction of reading.
//
// It answers "what may be written to a person's screen?" for every program of the project: [Text] for a cell or a line, [Lines] for
// text of several lines, [JSON] for a document, whose meaning stays the same. It refuses to know where text goes. The one subtle
// point: the C1 controls (U+0080 to U+009F) are escape sequences too, and encoding/json writes them as they are.
package safe
