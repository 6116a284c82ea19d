package dump

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// formats are the names of the formats of Write, sorted.
var formats = []string{"c", "c-unsorted", "json", "json-pretty", "raw"}

// Formats returns the names of the formats of Write, sorted.
func Formats() []string { return slices.Clone(formats) }

// Write writes a BTF object in a format of Formats. pointerSize is that of COptions.
func Write(w io.Writer, o *btf.Object, format string, pointerSize int) error {
	switch format {
	case "raw":
		return WriteRaw(w, o)
	case "json", "json-pretty":
		return WriteJSON(w, o, format == "json-pretty")
	case "c", "c-unsorted":
		return WriteC(w, o, COptions{PointerSize: pointerSize, Unsorted: format == "c-unsorted"})
	}
	return fmt.Errorf("format %q is none of %s", format, strings.Join(formats, ", "))
}
