package report

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"

	"github.com/btfbatch/btfbatch/golden"
)

// Bounds on what Read accepts.
const (
	MaxJSON   = 256 << 20 // bytes of a stored report
	maxImages = 1 << 17
	maxName   = 64 << 10 // bytes of a name or path
)

// errNotReport is the error of a file that is something else.
var errNotReport = errors.New("it is not a report in JSON, as btfbatch run --report json=FILE writes it")

// errLong is the error of a report that is longer than MaxJSON.
var errLong = fmt.Errorf("it is longer than %d MiB, which is more than a report has", MaxJSON>>20)

// Read reads a report that WriteJSON has written. It accepts only this version of the schema and only fields that it knows, because a
// report that is merged or rendered again must not lose any. Status, failures and totals must be those that follow from the rows, so that a
// report cannot claim a success that its rows do not have. The error names the place: `images[3] "NAME": status is "ok", not "failed"`.
func Read(from io.Reader) (*Report, error) {
	text, err := readAll(from)
	if err != nil {
		return nil, err
	}
	doc, err := decode(text)
	if err != nil {
		return nil, err
	}
	r := New(nil)
	r.Tool, r.Shard, r.Seconds, r.Strict, r.Stale, r.Used = doc.Tool, doc.Shard, doc.Seconds, doc.Strict, doc.Stale, doc.Used
	if doc.Manifest != nil {
		r.Manifest = *doc.Manifest
	}
	if err := r.checkHead(); err != nil {
		return nil, err
	}
	for i, text := range doc.Images {
		row := new(Row)
		if err := strict(text, row); err != nil {
			return nil, fmt.Errorf("images[%d] %q: %w", i, row.Name, err)
		}
		if err := r.takeStored(row); err != nil {
			return nil, fmt.Errorf("images[%d] %q: %w", i, row.Name, err)
		}
	}
	return r, r.agrees(&doc.document)
}

// readAll reads a document that begins as an object does. Others are not read to their end.
func readAll(from io.Reader) ([]byte, error) {
	in := bufio.NewReaderSize(from, 64<<10)
	head, err := in.Peek(1 << 10)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if !bytes.HasPrefix(bytes.TrimLeft(head, " \t\r\n"), []byte("{")) {
		return nil, errNotReport
	}
	text, err := io.ReadAll(io.LimitReader(in, MaxJSON+1))
	if err == nil && len(text) > MaxJSON {
		err = errLong
	}
	return text, err
}

// A storedDocument is a document whose images are not decoded yet.
type storedDocument struct {
	document
	Images []json.RawMessage `json:"images"`
}

// strict decodes an object without unknown fields.
func strict(text []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(to)
}

// decode checks the version before it looks at anything else, and the number of images before it decodes them.
func decode(text []byte) (*storedDocument, error) {
	var version struct {
		Schema *int `json:"schema"`
	}
	switch err := json.Unmarshal(text, &version); {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errNotReport, placed(text, err))
	case version.Schema == nil:
		return nil, fmt.Errorf("%w: schema is missing", errNotReport)
	case *version.Schema != Schema:
		return nil, fmt.Errorf("its schema is %d, and this version of btfbatch reads %d", *version.Schema, Schema)
	}
	doc := new(storedDocument)
	if err := strict(text, doc); err != nil {
		return nil, placed(text, err)
	}
	if n := len(doc.Images); n > maxImages {
		return nil, fmt.Errorf("it has %d images, more than %d", n, maxImages)
	}
	return doc, nil
}

// placed adds the line to an error of the JSON decoder.
func placed(text []byte, err error) error {
	off := int64(-1)
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		off = e.Offset
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		off = e.Offset
	}
	if off < 0 || off > int64(len(text)) {
		return err
	}
	return fmt.Errorf("line %d: %w", 1+bytes.Count(text[:off], []byte{'\n'}), err)
}

// checkHead checks what is not about a single image.
func (r *Report) checkHead() error {
	switch {
	case r.Tool.Name == "":
		return errors.New("tool.name is empty")
	case !digest(r.Tool.SHA256):
		return fmt.Errorf("tool.sha256 %q is not a digest", r.Tool.SHA256)
	case !digest(r.Manifest.SHA256):
		return fmt.Errorf("manifest.sha256 %q is not a digest", r.Manifest.SHA256)
	case !duration(r.Seconds):
		return fmt.Errorf("seconds is %v", r.Seconds)
	case r.Shard != nil:
		return r.Shard.check()
	}
	return nil
}

// check checks a shard by itself.
func (s *Shard) check() error {
	switch {
	case s.Index < 0 || s.Index >= s.Count:
		return fmt.Errorf("shard: index %d is not between 0 and %d", s.Index, s.Count-1)
	case s.Images < 0:
		return fmt.Errorf("shard: images is %d", s.Images)
	case s.SHA256 == "" || !digest(s.SHA256):
		return fmt.Errorf("shard: sha256 %q is not a digest", s.SHA256)
	}
	return nil
}

// takeStored checks a row and adds it.
func (r *Report) takeStored(row *Row) error {
	if row.Name == "" {
		return errors.New("name is empty")
	}
	if _, again := r.place[row.Name]; again {
		return errors.New("there is another image of this name")
	}
	if err := row.check(); err != nil {
		return err
	}
	if c := row.Golden; c != nil && c.SameAs != "" {
		i, ok := r.place[c.SameAs]
		switch {
		case !ok:
			return fmt.Errorf("golden.same_as: no image before it is named %q", c.SameAs)
		case r.rows[i].Golden == nil || r.rows[i].Golden.Detail == nil || c.Detail == nil:
			return fmt.Errorf("golden.same_as: %q has no comparison", c.SameAs)
		}
		c.restore(r.rows[i].Golden)
	}
	i, _ := r.plan(row.Name)
	said := *row
	row.Interrupted = row.Status == Interrupted
	row.settle()
	switch {
	case said.Status != row.Status:
		return fmt.Errorf("status is %q, not %q, which follows from the rest", said.Status, row.Status)
	case said.Failure != row.Failure:
		return fmt.Errorf("failure is %q, not %q, which follows from the rest", said.Failure, row.Failure)
	case said.Error != row.Error:
		return fmt.Errorf("error is %q, not %q", said.Error, row.Error)
	}
	r.rows[i], r.done[i] = *row, row.Failure != NoResult
	return nil
}

// agrees compares what a document says of the whole report with what follows from its rows.
func (r *Report) agrees(doc *document) error {
	switch {
	case doc.Totals != r.Totals():
		return fmt.Errorf("totals are %+v, and the images have %+v", doc.Totals, r.Totals())
	case doc.Status != r.Status():
		return fmt.Errorf("status is %q, not %q, which follows from the images", doc.Status, r.Status())
	case doc.ExitCode != r.ExitCode():
		return fmt.Errorf("exit_code is %d, not %d, which follows from the images", doc.ExitCode, r.ExitCode())
	case doc.Verdict != r.Verdict():
		return fmt.Errorf("verdict is %q, not %q, which follows from the images", doc.Verdict, r.Verdict())
	}
	return nil
}

// outputKinds are the kinds of an Output.
var outputKinds = []string{"btf", "base", "dump", "elf", "json", "c", "archive", "evidence"}

// check checks a row by itself.
func (row *Row) check() error {
	if !row.Failure.of(row.Status) {
		return fmt.Errorf("failure %q is not known for status %q", row.Failure, row.Status)
	}
	for what, text := range map[string]string{"input_sha256": row.InputSHA256, "base_sha256": row.BaseSHA256, "output_sha256": row.OutputSHA256} {
		if !digest(text) {
			return fmt.Errorf("%s %q is not a digest", what, text)
		}
	}
	if len(row.Name) > maxName || len(row.Path) > maxName {
		return fmt.Errorf("its name or path is longer than %d bytes", maxName)
	}
	if !duration(row.Seconds) {
		return fmt.Errorf("seconds is %v", row.Seconds)
	}
	if place := negative(reflect.ValueOf(row).Elem()); place != "" {
		return fmt.Errorf("%s is negative", place)
	}
	for i, o := range row.Outputs {
		if !slices.Contains(outputKinds, o.Kind) {
			return fmt.Errorf("outputs[%d]: kind %q is not known", i, o.Kind)
		}
		if !digest(o.SHA256) {
			return fmt.Errorf("outputs[%d]: sha256 %q is not a digest", i, o.SHA256)
		}
	}
	for i, p := range row.Published {
		if err := p.check(); err != nil {
			return fmt.Errorf("published[%d]: %w", i, err)
		}
	}
	for i, w := range row.Warnings {
		if w.Rule == "" || w.Count < 1 || len(w.Examples) == 0 {
			return fmt.Errorf("warnings[%d]: a warning has a rule, a count and an example", i)
		}
	}
	if row.Series != nil {
		if err := row.Series.check(); err != nil {
			return fmt.Errorf("series: %w", err)
		}
	}
	if row.Golden != nil {
		if err := row.Golden.check(); err != nil {
			return fmt.Errorf("golden: %w", err)
		}
	}
	return nil
}

// check checks a comparison by itself.
func (c *Comparison) check() error {
	if !slices.Contains([]golden.Verdict{golden.Equal, golden.Accepted, golden.Differs, golden.Missing}, c.Verdict) {
		return fmt.Errorf("verdict %q is not known", c.Verdict)
	}
	if c.Detail != nil {
		if err := c.Detail.Check(); err != nil {
			return fmt.Errorf("comparison: %w", err)
		}
	}
	return nil
}

// negative returns the name of a number in a struct that is less than 0, or "". Comparisons, which have distances, are left out.
func negative(v reflect.Value) string {
	t := v.Type()
	for i := range t.NumField() {
		name, _, _ := bytes.Cut([]byte(t.Field(i).Tag.Get("json")), []byte{','})
		switch f := v.Field(i); f.Kind() {
		case reflect.Int, reflect.Int64:
			if f.Int() < 0 {
				return string(name)
			}
		case reflect.Slice:
			for j := range f.Len() {
				if f.Index(j).Kind() != reflect.Struct {
					break
				}
				if in := negative(f.Index(j)); in != "" {
					return fmt.Sprintf("%s[%d].%s", name, j, in)
				}
			}
		}
	}
	return ""
}

// digest reports whether a text is a SHA-256 sum in lower-case hex, or empty.
func digest(s string) bool {
	if s == "" {
		return true
	}
	_, err := hex.DecodeString(s)
	return err == nil && len(s) == 64 && !slices.ContainsFunc([]byte(s), func(c byte) bool { return c >= 'A' && c <= 'F' })
}

func duration(s float64) bool { return s >= 0 && s <= math.MaxInt32 }
