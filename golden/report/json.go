package report

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/btfbatch/btfbatch/golden/escape"
)

// schema is the version of the JSON form. Fields may be added under one version; none goes away or changes its meaning.
const schema = 1

// document is the JSON form of a report.
type document struct {
	Schema   int      `json:"schema"`
	Version  string   `json:"version,omitempty"`
	Status   Status   `json:"status"`
	ExitCode int      `json:"exit_code"`
	Seconds  float64  `json:"seconds"`
	Totals   Totals   `json:"totals"`
	Stale    []string `json:"stale_exceptions,omitempty"`
	Images   []Row    `json:"images"`
}

// WriteJSON writes the report as one JSON object.
func (r *Report) WriteJSON(w io.Writer) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	err := enc.Encode(document{
		Schema: schema, Version: r.Version, Status: r.Status(), ExitCode: r.ExitCode(), Seconds: r.Seconds,
		Totals: r.Totals(), Stale: r.Stale, Images: r.Rows(),
	})
	if err != nil {
		return err
	}
	_, err = w.Write(escape.JSON(b.Bytes()))
	return err
}
