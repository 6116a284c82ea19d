package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/btfbatch/btfbatch/config/bound"
)

// A value is a YAML value with its position, after aliases and merge keys are resolved.
type value struct {
	position
	kind    kind
	tag     string   // of a scalar, "!!int"
	text    string   // of a scalar, as written: 6.10 stays 6.10
	list    []*value // of a sequence
	entries []entry  // of a mapping, in the order of the text, keys unique
}

type kind uint8

const (
	scalar kind = iota
	sequence
	mapping
)

type entry struct {
	key   string
	at    position // of the key
	value *value
}

// get returns the entry of a key, or nil.
func (v *value) get(key string) *entry {
	for i := range v.entries {
		if v.entries[i].key == key {
			return &v.entries[i]
		}
	}
	return nil
}

func (v *value) null() bool { return v.kind == scalar && v.tag == "!!null" }

// what describes the value's type for a message.
func (v *value) what() string {
	switch {
	case v.kind == sequence:
		return "a list"
	case v.kind == mapping:
		return "a mapping"
	}
	switch v.tag {
	case "!!null":
		return "empty"
	case "!!bool":
		return "a boolean"
	case "!!int", "!!float":
		return "a number"
	case "!!str":
		return "a string"
	}
	return fmt.Sprintf("tagged %q", v.tag)
}

// readTree parses the text. It returns nil if nothing can be checked further.
func (r *report) readTree(data []byte) *value {
	top := r.at(1, 1, "")
	if len(data) > maxBytes {
		r.add(top, "", "manifest is larger than %d bytes", maxBytes)
		return nil
	}
	if n := bound.Nodes(data); n > maxNodes {
		r.add(top, "", "manifest may have %d values and comments, and more than %d would fill the memory: divide it with include, or list images with images_from", n, maxNodes)
		return nil
	}
	if !r.checkText(data) {
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	doc, err := decode(dec)
	if errors.Is(err, io.EOF) {
		r.add(top, "", "manifest is empty; it must have version and images (btfbatch init writes one)")
		return nil
	}
	if err != nil {
		r.syntax(err)
		return nil
	}
	if next, err := decode(dec); err == nil {
		r.add(r.at(next.Content[0].Line, next.Content[0].Column, ""), "", "second YAML document; a manifest has only one")
	} else if !errors.Is(err, io.EOF) {
		r.syntax(err)
	}
	t := tree{report: r, open: map[*yaml.Node]bool{}, left: maxAliases + len(data)}
	if root := t.value(doc.Content[0], ""); !t.cut {
		return root
	}
	return nil // omitted values would be reported as missing
}

// checkText reports the first byte or character that is not allowed in YAML, because the library gives no position for it. Text in
// UTF-16, which begins with a byte order mark, is refused: positions and patterns are those of UTF-8.
func (r *report) checkText(data []byte) bool {
	if bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}) {
		r.add(r.at(1, 1, ""), "", "the text is UTF-16, not UTF-8: save it as UTF-8")
		return false
	}
	for i := 0; i < len(data); {
		c, n := utf8.DecodeRune(data[i:])
		problem := ""
		switch {
		case c == utf8.RuneError && n == 1:
			problem = fmt.Sprintf("byte 0x%02x is not valid UTF-8", data[i])
		case c == 0:
			problem = "zero byte; a manifest must be text"
		case c < ' ' && c != '\t' && c != '\n' && c != '\r', c >= 0x7f && c < 0xa0 && c != 0x85, c == 0xfffe, c == 0xffff:
			problem = fmt.Sprintf("control character %U; write it as an escape in double quotes", c)
		}
		if problem != "" {
			before := splitLines(string(data[:i]))
			r.add(r.at(len(before), 1+utf8.RuneCountInString(before[len(before)-1]), ""), "", "%s", problem)
			return false
		}
		i += n
	}
	return true
}

// decode reads one document. The library panics on some malformed input; this is reported as an error of the input.
func decode(dec *yaml.Decoder) (doc *yaml.Node, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("yaml: %v", p)
		}
	}()
	doc = new(yaml.Node)
	if err = dec.Decode(doc); err == nil && len(doc.Content) == 0 {
		err = io.EOF
	}
	return doc, err
}

var (
	yamlLine = regexp.MustCompile(`^line (\d+): `)
	// The library counts lines from 0 in errors of its grammar, but not in errors of its tokens.
	yamlGrammar = regexp.MustCompile(`^did not find expected (',' or|'-'|key|node content|<document start>)`)
	yamlAnchor  = regexp.MustCompile(`^unknown anchor '(.*)' referenced`)
)

// syntax reports an error of the YAML parser, which has at most a line number.
func (r *report) syntax(err error) {
	message := strings.TrimPrefix(strings.ReplaceAll(err.Error(), "\n", " "), "yaml: ")
	at := r.at(1, 1, "")
	if m := yamlLine.FindStringSubmatch(message); m != nil {
		at.line, _ = strconv.Atoi(m[1])
		message = message[len(m[0]):]
		if yamlGrammar.MatchString(message) {
			at.line++
		}
	}
	at.line = min(max(at.line, 1), r.count)
	suggestion := ""
	if m := yamlAnchor.FindStringSubmatch(message); m != nil {
		at = r.search("*" + m[1])
		suggestion = fmt.Sprintf(`"*%s" in quotes`, m[1])
	} else {
		line, _ := r.line(at.line)
		at.col = 1 + len(line) - len(strings.TrimLeft(line, " "))
		if strings.HasPrefix(strings.TrimLeft(line, " "), "\t") && strings.Contains(message, "cannot start any token") {
			message = "a tab indents the line: YAML is indented with blanks"
		}
		if strings.Contains(line, "${{") && strings.Contains(message, "expected ',' or") {
			suggestion = "to quote a value with ${{ }} inside { } or [ ]"
		}
	}
	r.add(at, suggestion, "%s", message)
}

// search returns the first position of text in the manifest.
func (r *report) search(text string) position {
	for i := range r.lines {
		start := r.at(i+1, 1, "")
		if strings.HasPrefix(r.lines[i], text) {
			return start
		}
		if at := r.find(start, text); at != start {
			return at
		}
	}
	return r.at(1, 1, "")
}

// A tree turns nodes into values.
type tree struct {
	*report
	open  map[*yaml.Node]bool // anchored nodes that are being read, to detect recursion
	depth int
	left  int  // values that the text may still have
	cut   bool // a value was left out
}

// value copies a node and resolves its aliases. It returns nil if the value is omitted.
func (t *tree) value(n *yaml.Node, path string) *value {
	at := t.at(n.Line, n.Column, path)
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if t.open[n] {
		t.add(at, "", "alias *%s is inside its own anchor", n.Anchor)
		t.cut = true
		return nil
	}
	if t.depth == maxDepth {
		t.add(at, "", "nested more than %d levels deep", maxDepth)
		t.cut = true
		return nil
	}
	if t.left--; t.left < 0 {
		if !t.cut {
			t.add(at, "", "manifest has more than %d values when aliases are expanded", maxAliases)
		}
		t.cut = true
		return nil
	}
	t.depth++
	defer func() { t.depth-- }()
	if n.Anchor != "" {
		t.open[n] = true
		defer delete(t.open, n)
	}
	v := &value{position: t.at(n.Line, n.Column, path)}
	switch n.Kind {
	case yaml.SequenceNode:
		v.kind = sequence
		v.list = make([]*value, 0, min(len(n.Content), maxImages+1))
		for i, c := range n.Content {
			if i > maxImages {
				break // no list can have more, and one that is longer than maxImages is an error
			}
			if x := t.value(c, path+"["+strconv.Itoa(i)+"]"); x != nil {
				v.list = append(v.list, x)
			}
			if len(t.open) == 0 { // no alias leads back here
				n.Content[i] = nil
			}
		}
	case yaml.MappingNode:
		v.kind = mapping
		t.mapping(v, n)
	default:
		v.tag, v.text = n.ShortTag(), n.Value
		t.checkLength(v.text, at)
	}
	return v
}

// mapping reads the pairs of a mapping. Its own keys take precedence over merged ones, and earlier merged ones over later ones.
func (t *tree) mapping(v *value, n *yaml.Node) {
	var merged []*yaml.Node
	if len(n.Content)/2 > maxKeys {
		t.add(t.at(n.Line, n.Column, v.path), "", "a mapping with %d keys, more than %d", len(n.Content)/2, maxKeys)
		t.cut = true
		return
	}
	first := map[string]position{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, c := n.Content[i], n.Content[i+1]
		if k.Kind == yaml.AliasNode {
			k = k.Alias
		}
		at := t.at(n.Content[i].Line, n.Content[i].Column, v.path)
		switch {
		case k.Kind != yaml.ScalarNode:
			t.add(at, "", "a key must be a plain word")
			continue
		case k.ShortTag() == "!!merge":
			if merged != nil {
				t.add(at, "", "second merge key; merge several anchors with a list, <<: [*a, *b]")
			}
			merged = append(merged, c)
			continue
		}
		if f, again := first[k.Value]; again {
			t.add(at, "", "key %q is given twice, first at %d:%d", k.Value, f.line, f.col)
			continue
		}
		first[k.Value] = at
		t.checkLength(k.Value, at)
		at.path = join(v.path, k.Value)
		if x := t.value(c, at.path); x != nil {
			v.entries = append(v.entries, entry{k.Value, at, x})
		}
	}
	for _, c := range merged {
		t.merge(v, t.value(c, v.path), first)
	}
}

func (t *tree) checkLength(text string, at position) {
	if len(text) > maxText {
		t.add(at, "", "value of %d bytes, more than %d", len(text), maxText)
		t.cut = true
	}
}

// merge adds the entries of from that have lacks.
func (t *tree) merge(v, from *value, have map[string]position) {
	switch {
	case from == nil:
	case from.kind == mapping:
		for _, e := range from.entries {
			if _, ok := have[e.key]; !ok {
				have[e.key] = e.at
				v.entries = append(v.entries, e)
			}
		}
	case from.kind == sequence:
		for _, x := range from.list {
			if x.kind != mapping {
				t.add(x.position, "", "merge key needs mappings, not %s", x.what())
				continue
			}
			t.merge(v, x, have)
		}
	default:
		t.add(from.position, "", "merge key needs a mapping or a list of mappings, not %s", from.what())
	}
}

// join extends a path. A key that is not a word is quoted, which keeps the path on one line.
func join(path, key string) string {
	if !axisName.MatchString(key) {
		key = strconv.Quote(key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}
