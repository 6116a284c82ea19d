// Package schematest compares JSON Schemas that are written by hand with the Go types that they describe.
//
// Input: a schema and the type of its document. Output: errors of the test. Never: the package is not part of the product.
package schematest

import (
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
)

// Read reads a schema from a file.
func Read(t *testing.T, file string) *jsonschema.Schema {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := new(jsonschema.Schema)
	if err := json.Unmarshal(text, s); err != nil {
		t.Fatal(err)
	}
	return s
}

// Fields checks that a schema has the fields of a type, all of them and no others, each with a description, and requires those that are
// always written. Every definition must be of use.
func Fields(t *testing.T, root *jsonschema.Schema, typ reflect.Type) {
	t.Helper()
	w := walk{t, root, map[string]bool{}}
	w.value("the document", root, typ)
	if n := len(root.Defs); len(w.seen) < n-1 { // one may be of use where the type has no struct
		t.Errorf("%d of %d definitions are used: %v", len(w.seen), n, slices.Sorted(maps.Keys(w.seen)))
	}
}

// A walk goes through a schema and a type side by side.
type walk struct {
	t    *testing.T
	root *jsonschema.Schema
	seen map[string]bool // definitions
}

// value checks the schema of a value.
func (w *walk) value(place string, s *jsonschema.Schema, typ reflect.Type) {
	described := s.Description != ""
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		if typ.Kind() == reflect.Slice && s.Items != nil {
			s = s.Items
		}
		typ = typ.Elem()
	}
	if s.Ref != "" {
		name := strings.TrimPrefix(s.Ref, "#/$defs/")
		s = w.root.Defs[name]
		if s == nil {
			w.t.Errorf("%s: no definition %s", place, name)
			return
		}
		if w.seen[name] {
			return
		}
		w.seen[name] = true
	}
	if !described && s.Description == "" {
		w.t.Errorf("%s has no description", place)
	}
	if typ.Kind() == reflect.Struct {
		w.fields(place, s, typ)
	}
}

// fields checks the schema of a struct.
func (w *walk) fields(place string, s *jsonschema.Schema, typ reflect.Type) {
	if s.AdditionalProperties == nil {
		w.t.Errorf("%s allows other fields", place)
	}
	var fields, always []string
	for f := range typ.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		fields = append(fields, name)
		if options == "" {
			always = append(always, name)
		}
		if p := s.Properties[name]; p != nil {
			w.value(place+"."+name, p, f.Type)
		}
	}
	slices.Sort(fields)
	slices.Sort(always)
	if got := slices.Sorted(maps.Keys(s.Properties)); !slices.Equal(got, fields) {
		w.t.Errorf("%s: the schema has %q, the model %q", place, got, fields)
	}
	if got := slices.Sorted(slices.Values(s.Required)); !slices.Equal(got, always) {
		w.t.Errorf("%s: the schema requires %q, the model always has %q", place, got, always)
	}
}
