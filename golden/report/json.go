package report

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"io"

	"github.com/btfbatch/btfbatch/golden/cause"
	"github.com/btfbatch/btfbatch/golden/escape"
)

// Schema is the version of the JSON form. Under one version, fields may be added; none goes away or changes its meaning.
const Schema = 2

// document is the JSON form of a report. The images come last, so that a reader of the first lines knows the result.
type document struct {
	Schema   int       `json:"schema"`
	Tool     Tool      `json:"tool"`
	Manifest *Manifest `json:"manifest,omitempty"`
	Shard    *Shard    `json:"shard,omitempty"`
	Status   Status    `json:"status"`
	ExitCode int       `json:"exit_code"`
	Verdict  string    `json:"verdict"` // in words
	Seconds  float64   `json:"seconds"`
	Totals   Totals    `json:"totals"`
	Strict   bool      `json:"strict,omitempty"`
	Stale    []string  `json:"stale_exceptions,omitempty"`
	Used     []string  `json:"used_exceptions,omitempty"`
	Images   []Row     `json:"images"`
}

// WriteJSON writes the report as one JSON object. The report of a large batch is written piece by piece.
func (r *Report) WriteJSON(w io.Writer) error {
	doc := document{
		Schema: Schema, Tool: r.Tool, Shard: r.Shard, Status: r.Status(), ExitCode: r.ExitCode(), Verdict: r.Verdict(), Seconds: r.Seconds,
		Totals: r.Totals(), Strict: r.Strict, Stale: r.Stale, Used: r.Used, Images: []Row{},
	}
	if r.Manifest != (Manifest{}) {
		doc.Manifest = &Manifest{escape.UTF8(r.Manifest.Path), r.Manifest.SHA256, r.Manifest.LockSHA256}
	}
	head, err := escape.Marshal(doc, "", "  ")
	if err != nil {
		return err
	}
	const end = "]\n}"
	out := bufio.NewWriterSize(w, 64<<10)
	put := func(text []byte) { _, _ = out.Write(text) } // Flush returns the first error
	put(bytes.TrimSuffix(head, []byte(end)))
	first := map[[sha256.Size]byte]string{}
	for i := range r.rows {
		row := r.rows[i]
		row.Golden = row.Golden.stored(first, row.Name)
		text, err := escape.Marshal(row, "    ", "  ")
		if err != nil {
			return err
		}
		if i > 0 {
			put([]byte{','})
		}
		put([]byte("\n    "))
		put(text)
	}
	if len(r.rows) > 0 {
		put([]byte("\n  "))
	}
	put([]byte(end + "\n"))
	return out.Flush()
}

// stored is the comparison without what it shares with that of an earlier image. first has the name of the first image by content.
func (c *Comparison) stored(first map[[sha256.Size]byte]string, name string) *Comparison {
	if c == nil || c.Detail == nil {
		return c
	}
	key := c.content()
	as, again := first[key]
	if !again {
		first[key] = name
		return c
	}
	out := *c
	out.SameAs, out.Diff = as, ""
	out.Detail = &cause.Comparison{Schema: cause.Schema, Exact: c.Detail.Exact, Old: c.Detail.Old, New: c.Detail.New, Verdict: c.Detail.Verdict}
	return &out
}

// restore undoes stored. from is the comparison of the image that SameAs names.
func (c *Comparison) restore(from *Comparison) {
	detail := *from.Detail
	detail.Old, detail.New = c.Detail.Old, c.Detail.New
	c.SameAs, c.Diff, c.Detail = "", from.Diff, &detail
}
