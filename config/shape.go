package config

import (
	"cmp"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/btfbatch/btfbatch/encoder/input"
)

// A shape returns a new schema of the values of a key. The refs are the image.* names that expressions in the value can use.
//
// Patterns are valid both in Go and in JavaScript, where editors run them.
type shape func(refs []string) *jsonschema.Schema

// nothing is the schema that allows no value.
func nothing() *jsonschema.Schema { return &jsonschema.Schema{Not: &jsonschema.Schema{}} }

// refuse is a schema that allows everything except s. Editors show the message.
func refuse(s *jsonschema.Schema, message string) *jsonschema.Schema {
	return &jsonschema.Schema{Not: s, Extra: map[string]any{"errorMessage": message}}
}

func anys(words []string) []any {
	list := make([]any, len(words))
	for i, w := range words {
		list[i] = w
	}
	return list
}

// expressionPattern matches one expression that can use the image.* names in refs.
func expressionPattern(refs []string) string {
	name := strings.TrimSuffix(strings.TrimPrefix(axisName.String(), "^"), "$")
	names := `(?:matrix|env|row)\.` + name
	if len(refs) > 0 {
		names += `|image\.(?:` + strings.Join(refs, "|") + `)`
	}
	return `\$\{\{\s*(?:` + names + `)\s*\}\}`
}

// textPattern matches a text in which every expression is well-formed. Between expressions, there is no ${{: what begins like one goes on
// differently.
func textPattern(refs []string) string {
	const begun = `(?:\$+\{)*`
	return `^(?:[^$]|` + begun + `\$+[^${]|` + begun + `\$+\{[^${]|` + begun + `\$*` + expressionPattern(refs) + `)*` + begun + `\$*$`
}

// expressions is the schema of a text that contains expressions, whose value is not known to a schema.
func expressions(refs []string) *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", AllOf: []*jsonschema.Schema{{Pattern: `\$\{\{`}, {Pattern: textPattern(refs)}}}
}

// textShape is any text. Numbers are texts, too.
func textShape(refs []string) *jsonschema.Schema {
	return &jsonschema.Schema{Types: []string{"string", "number"}, MinLength: new(1), Pattern: textPattern(refs)}
}

// fileShape is the path of a file.
func fileShape(refs []string) *jsonschema.Schema {
	s := textShape(refs)
	s.AllOf = []*jsonschema.Schema{
		refuse(&jsonschema.Schema{Type: "string", Pattern: `^(?:\.|\.\.|[\s\S]*/)$`}, "a folder, not a file"),
		refuse(&jsonschema.Schema{Type: "string", Pattern: input.URLPattern}, "a URL; download the file first"),
		refuse(&jsonschema.Schema{Enum: []any{input.Stdin}}, "- means standard input or output only on the command line"),
		refuse(&jsonschema.Schema{Type: "string", Pattern: `\x00`}, "a zero byte"),
	}
	return s
}

// outputShape is the path of a file to write, of which some extensions stand for compression.
func outputShape(refused []string) shape {
	return func(refs []string) *jsonschema.Schema {
		s := fileShape(refs)
		s.AllOf = append(s.AllOf, refuse(&jsonschema.Schema{Type: "string", Pattern: endPattern(refused)}, "cannot be written in this compression"))
		return s
	}
}

// archiveShape is the path of an archive to write. The extension may come from an expression.
func archiveShape(refs []string) *jsonschema.Schema {
	s := fileShape(refs)
	s.AllOf = append(s.AllOf, &jsonschema.Schema{AnyOf: []*jsonschema.Schema{
		{Pattern: endPattern(input.Archives())}, {Pattern: `\}\}[^/]*$`},
	}})
	return s
}

// evidenceShape is true, false, or the path of a file to write.
func evidenceShape(refs []string) *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "boolean"}, outputShape(input.ReadOnly())(refs)}}
}

// endPattern matches texts that end with one of the extensions, in letters of either case.
func endPattern(extensions []string) string {
	var list []string
	for _, e := range extensions {
		list = append(list, eitherCase(e))
	}
	return `(?:` + strings.Join(list, "|") + `)$`
}

// eitherCase matches a word in upper-case and lower-case letters.
func eitherCase(word string) string {
	var b strings.Builder
	for _, c := range word {
		if low, up := strings.ToLower(string(c)), strings.ToUpper(string(c)); low != up {
			b.WriteString("[" + low + up + "]")
		} else {
			b.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	return b.String()
}

// nameShape is the name of an image, see checkName.
func nameShape(refs []string) *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{
		{Type: "string", MaxLength: new(maxName), Pattern: `^[^\s\\/.$][^\s\\/$]*(?:/[^\s\\/.$][^\s\\/$]*)*$`},
		{Type: "number"},
		{Type: "string", AllOf: []*jsonschema.Schema{{Pattern: `\$`}, {Pattern: textPattern(refs)}}},
	}}
}

// boolShape is true or false, also as a text.
func boolShape(refs []string) *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{
		{Type: "boolean"}, {Type: "string", Pattern: `^(?:` + eitherCase("true") + `|` + eitherCase("false") + `)$`}, expressions(refs),
	}}
}

// digestShape is a number of bytes in hexadecimal, with an optional prefix. YAML takes one that has only digits for a number.
func digestShape(prefix, count string) shape {
	return func(refs []string) *jsonschema.Schema {
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{
			{Type: "string", Pattern: `^(?:` + prefix + `)?(?:[0-9A-Fa-f]{2}){` + count + `}$`}, {Type: "number"}, expressions(refs),
		}}
	}
}

// words describes the words of a list.
type words struct {
	fixed    []string // known words
	pattern  string   // of further words, without anchors
	joined   string   // of further words in a text with commas, if not pattern
	numbers  bool     // every number is a word
	anyCase  bool     // known words may be written in capitals
	leastNum int      // numbers from here on are words; 0 for none
	first    string   // may stand before the first word
	unique   bool     // a word may occur once
	nonEmpty bool     // a list has a word
}

// wordShape is one of a list of known words.
func wordShape(fixed []string, anyCase bool) shape {
	return func(refs []string) *jsonschema.Schema {
		return &jsonschema.Schema{AnyOf: append(words{fixed: fixed, anyCase: anyCase}.schemas(refs), expressions(refs))}
	}
}

// schemas lists the schemas of one word.
func (w words) schemas(refs []string) []*jsonschema.Schema {
	list := []*jsonschema.Schema{}
	if w.fixed != nil {
		known := anys(w.fixed)
		for _, text := range w.fixed { // an architecture is named 386
			if w.leastNum == 0 && !w.numbers && json.Valid([]byte(text)) && text[0] != '"' {
				known = append(known, json.RawMessage(text))
			}
		}
		list = append(list, &jsonschema.Schema{Enum: known})
	}
	if w.pattern != "" || w.anyCase || w.first != "" {
		list = append(list, w.text(`^`+regexp.QuoteMeta(w.first)+w.one(w.pattern)+`$`, refs))
	}
	switch {
	case w.numbers:
		list = append(list, &jsonschema.Schema{Type: "number"})
	case w.leastNum > 0:
		list = append(list, &jsonschema.Schema{Type: "number", Minimum: new(float64(w.leastNum))})
	}
	return list
}

// text is a text that matches a pattern, and has no malformed expression.
func (w words) text(pattern string, refs []string) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string", Pattern: pattern}
	if w.pattern != "" {
		s.AllOf = []*jsonschema.Schema{{Pattern: textPattern(refs)}}
	}
	return s
}

// one matches one word: a known one, or one that matches the pattern.
func (w words) one(pattern string) string {
	var list []string
	for _, text := range w.fixed {
		if w.anyCase {
			list = append(list, eitherCase(text))
		} else {
			list = append(list, regexp.QuoteMeta(text))
		}
	}
	if pattern != "" {
		list = append(list, pattern)
	}
	return `(?:` + strings.Join(list, "|") + `)`
}

// wordsShape is a list of words, or one text with commas between them.
func wordsShape(w words) shape {
	return func(refs []string) *jsonschema.Schema {
		item := &jsonschema.Schema{AnyOf: append(w.schemas(refs), expressions(refs))}
		list := &jsonschema.Schema{Type: "array", Items: item, UniqueItems: w.unique}
		if w.nonEmpty {
			list.MinItems = new(1)
		}
		first := ""
		if w.first != "" {
			first = `(?:` + regexp.QuoteMeta(w.first) + `)?`
		}
		one := w.one(cmp.Or(w.joined, w.pattern))
		joined := `^\s*` + first + one + `(?:\s*,\s*` + one + `)*\s*$`
		either := []*jsonschema.Schema{list, w.text(joined, refs), expressions(refs)}
		for _, s := range w.schemas(refs) {
			if s.Type == "number" || slices.ContainsFunc(s.Enum, isNumber) {
				either = append(either, s)
			}
		}
		return &jsonschema.Schema{AnyOf: either}
	}
}

func isNumber(v any) bool { _, ok := v.(json.RawMessage); return ok }
