package config

import (
	"crypto/sha256"
	"errors"
	"io"
	"math"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/input"
)

// Images can be read from lists, which other programs write. A list is read row by row, so it may be much longer than a manifest.
//
// A row of a list is an image itself, with the keys that an image of a manifest has; or it fills the expressions ${{ row.NAME }} of a template.

// Limits of lists.
const (
	maxList = 1 << 30 // bytes of a list
	maxCell = 4 << 20 // bytes of a text in a row that a template is filled from, such as the configuration of a kernel
	tooMany = 1000    // problems, after which a list is not read further
)

// The formats of lists.
const (
	linesFormat   = "lines"          // JSON objects, one after the other or in an array
	crawlerFormat = "kernel-crawler" // a JSON object that has an array of JSON objects for each distribution
)

var listFormats = []string{linesFormat, crawlerFormat}

// distroField is the field of a row of kernel-crawler for the name of its distribution.
const distroField = "distro"

// listKeys are the keys of an element of images_from.
var listKeys []key

func init() { // template refers to the keys of an image
	listKeys = []key{
		{"file", "The list: a path or a glob.", includeShape, "file is missing"},
		{"format", "Format of the list: JSON objects, one in a line (lines, the default), or the output of kernel-crawler.", wordOnly(listFormats), ""},
		{"where", "Rows to take: names of their values, and patterns with *, ? and [a-z] that the values must match.", whereShape, ""},
		{"template", "The image for each row, with ${{ row.NAME }} for the values of the row. Without it, a row has the keys of an image.", imageShape, ""},
	}
}

// A list is one element of images_from.
type list struct {
	files    *value
	format   string
	where    []condition
	template *value
}

// A condition says which values a row must have under a name.
type condition struct {
	name     string
	patterns []string
}

// readLists reads the value of images_from: a file, a mapping, or a list of them.
func (x *expander) readLists(v *value) {
	elements := []*value{v}
	if v.kind == sequence {
		if elements = v.list; len(elements) == 0 {
			x.add(v.position, "", "images_from is empty")
		}
	}
	for _, e := range elements {
		l := list{files: e, format: linesFormat}
		if e.kind == mapping && !x.readList(&l, e) {
			continue
		}
		for _, f := range x.files(l.files, "file") {
			x.readRows(&l, f)
		}
	}
}

// readList reads an element that is a mapping.
func (x *expander) readList(l *list, v *value) bool {
	before := len(x.problems)
	x.checkKeys(v, namesOf(listKeys), "images_from")
	x.checkRequired(v, listKeys)
	if e := v.get("file"); e != nil {
		l.files = e.value
	}
	if e := v.get("format"); e != nil {
		if text, ok := x.plain(e.value); ok && !slices.Contains(listFormats, text) {
			x.add(e.value.position, x.nearest(text, listFormats), "unknown format %q; use lines or kernel-crawler", text)
		} else if ok {
			l.format = text
		}
	}
	if e := v.get("where"); e != nil {
		l.where = x.readWhere(e.value)
	}
	if e := v.get("template"); e != nil {
		l.template = e.value
		if e.value.kind != mapping {
			x.add(e.value.position, "", "template must be a mapping with the keys of an image, not %s", e.value.what())
		}
	} else if l.format == crawlerFormat {
		x.add(v.position, "", "template is missing: kernel-crawler lists packages of headers, which have no DWARF, so a template must say where the images are")
	}
	return len(x.problems) == before
}

// readWhere reads the conditions for rows.
func (x *expander) readWhere(v *value) (all []condition) {
	if v.kind != mapping || len(v.entries) == 0 {
		x.add(v.position, "", "where must be a mapping from names to patterns, not %s", v.what())
		return nil
	}
	for _, e := range v.entries {
		c := condition{name: e.key}
		values := []*value{e.value}
		if e.value.kind == sequence {
			values = e.value.list
		}
		for _, p := range values {
			text, ok := x.plain(p)
			if _, err := path.Match(text, ""); ok && err != nil {
				x.add(p.position, "", "glob %q is malformed", text)
			}
			c.patterns = append(c.patterns, text)
		}
		if len(values) == 0 {
			x.add(e.value.position, "", "list is empty")
		}
		all = append(all, c)
	}
	return all
}

// readRows reads the rows of one file.
func (x *expander) readRows(l *list, f listed) {
	var in io.ReadCloser
	_, ok := x.next(f.path, f.at, func(path string) (_ []byte, err error) {
		in, err = x.disk.open(path)
		return nil, err
	})
	if !ok {
		return
	}
	defer in.Close()
	sum := sha256.New()
	src := &source{file: f.path, dir: filepath.Dir(f.path), order: len(x.sources), count: math.MaxInt, list: f.list}
	x.sources = append(x.sources, src)
	before := x.source
	x.source = src
	defer func() { x.source = before }()
	longest := maxText
	if l.template != nil {
		longest = maxCell
	}
	bounded := &io.LimitedReader{R: io.TeeReader(in, sum), N: maxList}
	j := newJSONReader(x.report, src, bounded, longest)
	r := rows{expander: x, list: l}
	r.prepare()
	r.file(j)
	src.count = j.line
	copy(src.sum[:], sum.Sum(nil))
	switch {
	case errors.Is(j.err, errWrong), x.full, len(x.problems) > tooMany:
	case bounded.N <= 0:
		x.add(f.at, "", "%s has more than %d bytes", f.path, maxList)
	case j.err != nil && !errors.Is(j.err, io.EOF):
		x.add(f.at, "", "%v", input.Named(f.path, j.err))
	case r.seen == 0:
		x.add(f.at, "", "%s has no images", f.path)
	case r.taken == 0:
		x.add(f.at, "", "where takes none of the %d rows of %s", r.seen, f.path)
	}
}

// rows reads the rows of a file.
type rows struct {
	*expander
	list        *list
	seen, taken int

	merged       *value // template
	combinations []combination
}

// prepare merges the template with the defaults.
func (r *rows) prepare() {
	if t := r.list.template; t != nil {
		var ok bool
		before := len(r.problems)
		if r.merged, r.combinations, ok = r.prepared(t); !ok {
			r.closed().image(r.merged)
		}
		if len(r.problems) > before {
			r.combinations = nil
		}
	}
}

// file reads all rows.
func (r *rows) file(j *jsonReader) {
	if r.list.format == crawlerFormat {
		if c := j.peek(); c != 0 && c != '{' {
			j.wrong(j.here(""), "kernel-crawler writes one JSON object, with an array for each distribution")
		}
		for !j.ended() {
			j.members("", func(distro string, _ position) {
				if c := j.peek(); c != '[' {
					j.unexpected(distro, "an array of the kernels of "+distro)
					return
				}
				j.elements(distro, func(string) { r.row(j, distro) })
			})
			j.cut(j.here(""), "list")
		}
		return
	}
	for !j.ended() {
		if j.peek() == '[' {
			j.elements("", func(string) { r.row(j, "") })
			j.cut(j.here(""), "list")
			continue
		}
		r.row(j, "")
	}
}

// row reads one row. distro is the name of the group that it is in, if it is in one.
func (r *rows) row(j *jsonReader, distro string) {
	depth := j.depth
	j.depth = 0 // the depth of a row, and the end of a text inside one, do not depend on the format
	v := j.value("")
	j.depth = depth
	switch {
	case v == nil:
		return
	case r.full || len(r.problems) > tooMany:
		j.err = io.EOF
		return
	case v.kind != mapping:
		r.seen++
		r.taken++
		r.add(v.position, "", "must be a JSON object, not %s", v.what())
		return
	}
	if distro != "" && v.get(distroField) == nil {
		v.entries = append(v.entries, entry{distroField, v.position, &value{position: v.position, tag: "!!str", text: distro}})
	}
	r.seen++
	if !r.list.takes(v) {
		return
	}
	r.taken++
	if r.list.template == nil {
		r.image(v)
		return
	}
	r.about = v.position
	r.expandInto(r.merged, r.combinations, v)
	r.about = position{}
}

// takes reports whether a row fulfils all conditions. A value matches a pattern as a whole; it is not a path.
func (l *list) takes(row *value) bool {
	for _, c := range l.where {
		e := row.get(c.name)
		if e == nil || e.value.kind != scalar || !slices.ContainsFunc(c.patterns, func(p string) bool { return matchesText(p, e.value.text) }) {
			return false
		}
	}
	return true
}

func matchesText(pattern, text string) bool {
	const slash = "\x00" // no pattern and no text has one
	ok, _ := path.Match(strings.ReplaceAll(pattern, "/", slash), strings.ReplaceAll(text, "/", slash))
	return ok
}
