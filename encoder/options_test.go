package encoder_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
)

// full returns options in which no field has its zero value or a value that is equivalent to another one.
func full() encoder.Options {
	return encoder.Options{
		Profile: encoder.Pahole, Features: feature.Of(feature.Var), Sections: []encoder.SectionRule{{Section: "s", DropZeroAddress: true,
			DropNonAllocated: true, DropUnnamed: true, DropSymbols: []string{"x"}, NoDatasec: true, KeepDuplicates: true}},
		LangExclude: []encoder.Language{1}, UnitExclude: []string{"u"}, NamePrefix: "n", PlainFields: true, SortByName: true, LikeKernel: true,
		Release: "r", RulesOff: 1,
	}
}

// fields calls visit with every field, at any depth. visit may change the value.
func fields(v reflect.Value, path string, visit func(path string, v reflect.Value)) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fields(v.Field(i), path+"."+v.Type().Field(i).Name, visit)
		}
	case reflect.Slice:
		visit(path, v)
		fields(v.Index(0), path+"[0]", visit)
	default:
		visit(path, v)
	}
}

// changed returns another value of a field.
func changed(t *testing.T, path string, v reflect.Value) reflect.Value {
	n := reflect.New(v.Type()).Elem()
	switch v.Kind() {
	case reflect.Bool:
		n.SetBool(!v.Bool())
	case reflect.Uint8, reflect.Uint32, reflect.Uint64:
		n.SetUint(v.Uint() ^ 2)
	case reflect.String:
		n.SetString(v.String() + "\xff") // strings need not be text
	case reflect.Slice: // one more element
		n = reflect.AppendSlice(v, reflect.MakeSlice(v.Type(), 1, 1))
	default:
		t.Fatalf("%s is a %s, which is no data that can be compared and stored", path, v.Kind())
	}
	return n
}

// TestKey: a change of any field changes the key, including the fields of section rules. Equal options have the same key.
func TestKey(t *testing.T) {
	keys := map[string]string{full().Key(): "none"}
	n := 0
	opt := full()
	fields(reflect.ValueOf(&opt).Elem(), "Options", func(path string, v reflect.Value) {
		n++
		if v.IsZero() {
			t.Errorf("%s: add it to full, with a value that is not the zero value", path)
		}
		old := reflect.ValueOf(v.Interface())
		v.Set(changed(t, path, v))
		key := opt.Key()
		if other, ok := keys[key]; ok {
			t.Errorf("%s: the key is the same as with another %s: %s", path, other, key)
		}
		keys[key] = path
		v.Set(old)
		if got, want := opt.Key(), full().Key(); got != want {
			t.Errorf("%s: got %s with the old value again, want %s", path, got, want)
		}
	})
	if n < 20 {
		t.Errorf("looked at %d fields, want all", n)
	}
	a, b := full(), full() // strings that are not UTF-8 have different keys too
	a.NamePrefix, b.NamePrefix = "\xfe", "\xff"
	if a.Key() == b.Key() {
		t.Error("two prefixes have one key")
	}
}

// TestKeyCanonical: options with the same meaning have the same key.
func TestKeyCanonical(t *testing.T) {
	for name, same := range map[string][2]encoder.Options{
		"zero value":  {{}, encoder.Defaults()},
		"features":    {{}, {Features: feature.Default()}},
		"sections":    {{}, {Sections: encoder.DefaultSections()}},
		"empty lists": {{}, {LangExclude: []encoder.Language{}, UnitExclude: []string{}}},
		"languages":   {{LangExclude: []encoder.Language{2, 1}}, {LangExclude: []encoder.Language{1, 2, 1}}},
		"units":       {{UnitExclude: []string{"b", "a"}}, {UnitExclude: []string{"a", "b", "b"}}},
		"symbols": {{Sections: []encoder.SectionRule{{DropSymbols: []string{"b", "a"}}}},
			{Sections: []encoder.SectionRule{{DropSymbols: []string{"a", "b"}}}}},
	} {
		if a, b := same[0].Key(), same[1].Key(); a != b {
			t.Errorf("%s: got two keys\n%s\n%s", name, a, b)
		}
	}
	for name, others := range map[string][2]encoder.Options{
		"features":       {{}, {Features: feature.None}},
		"sections":       {{}, {Sections: []encoder.SectionRule{}}},
		"order of rules": {{Sections: []encoder.SectionRule{{Section: "a"}, {Section: "b"}}}, {Sections: []encoder.SectionRule{{Section: "b"}, {Section: "a"}}}},
		"one unit":       {{UnitExclude: []string{"a, b"}}, {UnitExclude: []string{"a", "b"}}},
		"empty prefix":   {{}, {UnitExclude: []string{""}}},
	} {
		if a, b := others[0].Key(), others[1].Key(); a == b {
			t.Errorf("%s: got one key\n%s", name, a)
		}
	}
	o := encoder.Options{UnitExclude: []string{"b", "a"}}
	if o.Key(); o.UnitExclude[0] != "b" {
		t.Error("Key has changed the options")
	}
}

// TestOptionsAsJSON: options can be stored and read back.
func TestOptionsAsJSON(t *testing.T) {
	for _, opt := range []encoder.Options{{}, {Features: feature.None, Sections: []encoder.SectionRule{}}, encoder.Defaults(), full()} {
		text, err := json.Marshal(opt)
		if err != nil {
			t.Fatal(err)
		}
		var back encoder.Options
		if err := json.Unmarshal(text, &back); err != nil || back.Key() != opt.Key() {
			t.Errorf("%s: got %s back, want %s (%v)", text, back.Key(), opt.Key(), err)
		}
	}
}

// TestZeroOptions: the zero value gives the same bytes as the default features, and None gives other bytes.
func TestZeroOptions(t *testing.T) {
	image := read(t, imagePath(t, "gcc12-x86_64-dwarf5-based"))
	wire := func(opt encoder.Options) []byte {
		res, err := encodeBytes(image, encoder.Encoder{Options: opt})
		if err != nil {
			t.Fatal(err)
		}
		return res.Object.AppendWire(nil)
	}
	zero := wire(encoder.Options{})
	if !bytes.Equal(zero, wire(encoder.Defaults())) || !bytes.Equal(zero, wire(encoder.Options{Features: feature.Default()})) {
		t.Error("the zero value is not the defaults")
	}
	if bytes.Equal(zero, wire(encoder.Options{Features: feature.None})) {
		t.Error("no feature is the defaults")
	}
}

// TestReasons: every reason has its own text and rule.
func TestReasons(t *testing.T) {
	type reason interface {
		fmt.Stringer
		Rule() string
	}
	var all []reason
	for r := range encoder.NumFuncReasons {
		all = append(all, r)
	}
	for r := range encoder.NumVarReasons {
		all = append(all, r)
	}
	texts := map[string]bool{}
	for _, r := range all {
		text := fmt.Sprintf("%T %s", r, r)
		if r.String() == "" || texts[text] || r.Rule() == "" || (r.Rule() == "kept") != (r.String() == "kept") {
			t.Errorf("%s: rule %q", text, r.Rule())
		}
		texts[text] = true
	}
	for _, tt := range []struct {
		r          reason
		text, rule string
	}{ // the words in reports and in the section rules of a manifest
		{encoder.FuncUnexpectedRegister, "unexpected register usage for parameter", "expected-registers"},
		{encoder.FuncAmbiguousAddress, "ambiguous address", "unambiguous-address"},
		{encoder.VarNotTopLevel, "declared inside a function or namespace", "top-level"},
		{encoder.VarUnnamed, "has no name", "unnamed"},
		{encoder.VarNoSymbol, "owns no storage in the section", "non-allocated"},
		{encoder.VarZeroAddress, "symbol value is 0", "zero-address"},
		{encoder.VarDuplicate, "a strong definition of that offset exists", "unique"},
		{encoder.NumFuncReasons, "reason(7)", ""},
		{encoder.VarReason(200), "reason(200)", ""},
	} {
		if tt.r.String() != tt.text || tt.r.Rule() != tt.rule {
			t.Errorf("got %q, rule %q; want %q, rule %q", tt.r, tt.r.Rule(), tt.text, tt.rule)
		}
	}
}

// TestErrorTypes: the error types have the place of an error and its image.
func TestErrorTypes(t *testing.T) {
	image := read(t, imagePath(t, "gcc12-x86_64-dwarf5-based"))
	f, err := elf.NewFile(bytes.NewReader(image), uint64(len(image)))
	if err != nil {
		t.Fatal(err)
	}
	info := f.Section(".debug_info")
	broken := bytes.Clone(image)
	broken[info.Off+4] = 9 // the DWARF version of the first unit
	_, err = encodeBytes(broken, encoder.Encoder{})
	var unit *encoder.UnitError
	var format *elf.FormatError
	if !errors.As(err, &unit) || unit.Unit != 0 || unit.Section != ".debug_info" || unit.Problem == "" || unit.Error() != err.Error() {
		t.Errorf("got error %+v (%v)", unit, err)
	}
	if !errors.As(err, &format) || format.Section != unit.Section || format.Offset != unit.Offset {
		t.Errorf("got error %+v, want one at the place of %+v", format, unit)
	}
	b, err := elf.NewFile(bytes.NewReader(broken), uint64(len(broken)))
	if err != nil {
		t.Fatal(err)
	}
	enc := encoder.Encoder{Options: encoder.Options{Profile: encoder.Pahole}}
	_, err = enc.EncodeAll(context.Background(), []*elf.File{f, b})
	var of *encoder.ImageError
	unit = nil
	if !errors.As(err, &of) || of.Image != 1 || !errors.As(err, &unit) {
		t.Errorf("got error %+v of a unit %+v (%v), want one of image 1", of, unit, err)
	}
}
