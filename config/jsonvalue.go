package config

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// A jsonReader reads JSON values one after the other, with their places. It holds one value at a time.
type jsonReader struct {
	*report
	in        *bufio.Reader
	src       *source
	line, col int   // of the next byte; columns count characters
	longest   int   // bytes that a text may have
	depth     int   // of nesting
	err       error // of reading the file, or errWrong
}

// errWrong says that the text is wrong, and that the problem is reported.
var errWrong = errors.New("the text is wrong")

func newJSONReader(r *report, src *source, in io.Reader, longest int) *jsonReader {
	return &jsonReader{report: r, in: bufio.NewReaderSize(in, 64<<10), src: src, line: 1, col: 1, longest: longest}
}

// here is the position of the next byte.
func (j *jsonReader) here(path string) position { return position{j.src, j.line, j.col, path} }

// wrong reports a problem with the text, after which nothing more can be read.
func (j *jsonReader) wrong(at position, format string, args ...any) {
	if j.err == nil {
		j.add(at, "", format, args...)
		j.err = errWrong
	}
}

// next consumes a byte. It is 0 at the end of the text.
func (j *jsonReader) next() byte {
	if j.err != nil {
		return 0
	}
	c, err := j.in.ReadByte()
	switch {
	case err != nil:
		j.err = err
		return 0
	case c == '\n':
		j.line++
		j.col = 1
	case c&0xc0 != 0x80: // the first byte of a character
		j.col++
	}
	return c
}

// peek returns the next byte that is not white space, without consuming it. It is 0 at the end of the text.
func (j *jsonReader) peek() byte {
	for j.err == nil {
		b, err := j.in.Peek(1)
		if err != nil {
			j.err = err
			return 0
		}
		switch b[0] {
		case ' ', '\t', '\r', '\n':
			j.next()
		case 0:
			j.wrong(j.here(""), "zero byte; a list must be text")
		default:
			return b[0]
		}
	}
	return 0
}

// ended reports whether the whole text was read.
func (j *jsonReader) ended() bool { return j.err != nil || j.peek() == 0 }

// cut reports a text that ends too early.
func (j *jsonReader) cut(at position, what string) {
	if errors.Is(j.err, io.EOF) {
		j.err = nil
		j.wrong(at, "%s is not complete", what)
	}
}

// value reads a value. It is nil if the text is wrong.
func (j *jsonReader) value(path string) *value {
	c := j.peek()
	at := j.here(path)
	v := &value{position: at}
	switch {
	case c == '{':
		v.kind = mapping
		j.members(path, func(key string, at position) {
			if first := v.get(key); first != nil {
				j.add(at, "", "key %q is given twice, first at %d:%d", key, first.at.line, first.at.col)
			}
			if x := j.value(at.path); x != nil {
				v.entries = append(v.entries, entry{key, at, x})
			}
		})
	case c == '[':
		v.kind = sequence
		j.elements(path, func(path string) {
			if x := j.value(path); x != nil {
				v.list = append(v.list, x)
			}
		})
	case c == '"':
		v.tag, v.text = "!!str", j.text()
	default:
		v.tag, v.text = j.word(at)
	}
	if j.err != nil && j.depth == 0 {
		j.cut(at, "value")
	}
	if j.err != nil {
		return nil
	}
	return v
}

// enter checks the depth of a mapping or a list, and consumes its first byte.
func (j *jsonReader) enter(path string) bool {
	if j.depth++; j.depth > maxDepth {
		j.wrong(j.here(path), "nested more than %d levels deep", maxDepth)
		return false
	}
	j.next()
	return true
}

// members reads a mapping. one is called for each key, and reads its value.
func (j *jsonReader) members(path string, one func(key string, at position)) {
	if j.enter(path) {
		for n := 0; j.more('}', n, path); n++ {
			if j.peek() != '"' {
				j.unexpected(path, "a key in double quotes")
				break
			}
			at := j.here(path)
			key := j.text()
			at.path = join(path, key)
			if j.peek() != ':' {
				j.unexpected(path, "a colon")
				break
			}
			j.next()
			one(key, at)
		}
	}
	j.depth--
}

// elements reads a list. one is called for each element, and reads it.
func (j *jsonReader) elements(path string, one func(path string)) {
	if j.enter(path) {
		for n := 0; j.more(']', n, path); n++ {
			one(fmt.Sprintf("%s[%d]", path, n))
		}
	}
	j.depth--
}

// more consumes what is before element n, and reports whether there is one.
func (j *jsonReader) more(end byte, n int, path string) bool {
	switch c := j.peek(); {
	case j.err != nil:
		return false
	case c == end:
		j.next()
		return false
	case n == 0:
		return true
	case c == ',':
		j.next()
		return true
	}
	j.unexpected(path, fmt.Sprintf("a comma or %c", end))
	return false
}

func (j *jsonReader) unexpected(path, want string) {
	if c := j.peek(); j.err == nil {
		j.wrong(j.here(path), "found %q, not %s", rune(c), want)
	}
}

// text reads a string.
func (j *jsonReader) text() string {
	at := j.here("")
	raw := []byte{j.next()}
	plain := true
	for j.err == nil {
		c := j.next()
		raw = append(raw, c)
		if c == '"' {
			break
		}
		if c == '\\' {
			plain = false
			raw = append(raw, j.next())
		}
		if len(raw) > j.longest {
			j.wrong(at, "value of more than %d bytes", j.longest)
		}
		if c < ' ' && j.err == nil {
			j.wrong(at, "text has a control character or a line break; write it as an escape")
		}
	}
	switch {
	case j.err != nil:
		return ""
	case !utf8.Valid(raw):
		j.wrong(at, "text is not valid UTF-8")
	case plain:
		return string(raw[1 : len(raw)-1])
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil && j.err == nil {
		j.wrong(at, "text has an escape that JSON does not know")
	}
	return text
}

// word reads a number, true, false or null.
func (j *jsonReader) word(at position) (tag, text string) {
	var raw []byte
	for j.err == nil {
		b, err := j.in.Peek(1)
		if err != nil || strings.IndexByte(" \t\r\n,:[]{}\"", b[0]) >= 0 {
			break
		}
		if raw = append(raw, j.next()); len(raw) > maxText {
			break
		}
	}
	text = string(raw)
	switch text {
	case "":
		j.unexpected(at.path, "a value")
		return "", ""
	case "null":
		return "!!null", text
	case "true", "false":
		return "!!bool", text
	}
	if !json.Valid(raw) {
		j.wrong(at, "%q is no JSON value; put texts into double quotes", strings.ToValidUTF8(text[:min(len(text), 40)], "?"))
	}
	return "!!int", text
}
