package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/encoder/feature"
)

// FuzzParse checks that any text gives either complete images or problems with a place in the text.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, text := range []string{
		"version: 1\nimages:\n- path: vmlinux\n",
		"version: 1\ndefaults: &d {arch: arm64, outputs: {btf: \"${{ image.name }}\"}}\nimages: [<<: *d, path: \"*.ko\"]\n",
		"version: 1\nmatrix: {a: [1, 2], include: [{a: 3, b: x}], exclude: [{a: 1}]}\nimages: [{path: \"${{ matrix.a }}\"}]\n",
		"version: 1\nimages: &a [*a]\n", "? [a]\n: b\n", "a: *x", "\xff\xfe\x00", "%YAML 1.1\n---\n!!binary x\n...\n",
		"version: 1\nimages: [{path: v, sections: [{section: '*', exclude: '__k*, unnamed', unique: false}], verify: 6.1}]\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := parse("m", data, testEnv, memory(nil))
		again, errAgain := parse("m", data, testEnv, memory(nil))
		if !reflect.DeepEqual(m, again) || !reflect.DeepEqual(err, errAgain) {
			t.Fatalf("parsed twice, it differs: %v, %v", err, errAgain)
		}
		if err != nil {
			checkProblems(t, err, len(splitLines(string(data))))
			return
		}
		if len(m.Images) == 0 {
			t.Fatal("neither images nor problems")
		}
		names := map[string]bool{}
		for _, im := range m.Images {
			checkImage(t, im)
			if names[im.Name] && !im.NamedByFile() {
				t.Fatalf("name %q twice", im.Name)
			}
			names[im.Name] = true
		}
	})
}

func checkProblems(t *testing.T, err error, lines int) {
	var ps *Problems
	if !errors.As(err, &ps) || len(ps.List) == 0 {
		t.Fatalf("error without problems: %v", err)
	}
	for i, p := range ps.List {
		if p.Line < 1 || p.Line > lines || p.Column < 1 {
			t.Fatalf("place %d:%d in a text of %d lines: %s", p.Line, p.Column, lines, p)
		}
		if i > 0 && p.Line < ps.List[i-1].Line {
			t.Fatalf("problems out of order: %v", err)
		}
		if p.Message == "" || strings.ContainsAny(p.String(), "\n\r") {
			t.Fatalf("not one line: %q", p)
		}
	}
}

func checkImage(t *testing.T, im Image) {
	if im.Name == "" || im.Path == "" || im.Line < 1 || im.Features&^feature.All() != 0 {
		t.Fatalf("incomplete: %+v", im)
	}
	if _, ok := ArchByName(im.Arch); im.Arch != "" && !ok {
		t.Fatalf("arch %q", im.Arch)
	}
	if im.Base != "" && im.BasePath != "" {
		t.Fatalf("two bases: %+v", im)
	}
	if im.Glob == "" {
		for _, text := range []string{im.Name, im.Path, im.Outputs.BTF, im.Outputs.Dump, im.Outputs.ELF, im.Golden, im.Base} {
			if strings.Contains(text, filePlaceholder) {
				t.Fatalf("expression left over: %+v", im)
			}
		}
		return
	}
	if one, err := im.Fill(Facts{File: "x/file.ko"}); err == nil && (one.Glob != "" || one.Path != "x/file.ko" || one.NamedByFile()) {
		t.Fatalf("for one file: %+v", one)
	}
}
