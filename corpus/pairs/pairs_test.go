// Package pairs_test compares images of one source before and after a change, and checks what the comparison says against goldens that
// people can read.
package pairs_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sebdah/goldie/v2"

	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/golden/cause"
	"github.com/btfbatch/btfbatch/golden/show"
)

const (
	minPairs = 30
	maxImage = 8 << 10    // bytes of one image
	maxAll   = 1000 << 10 // bytes of all images and goldens
)

// The compilers. The goldens of a pair are about the first.
var compilers = []string{"gcc12", "clang19"}

// differing are the pairs in which the compilers do not give the same comparison, with the reason. Such a pair has goldens for each.
var differing = map[string]string{
	"decl-tag":     "gcc 12 has no attribute btf_decl_tag",
	"percpu-grown": "gcc aligns a variable of 32 bytes to 32 bytes, clang to what its type asks for",
	"type-tag":     "gcc 12 has no attribute btf_type_tag",
}

// names lists the pairs: one for each source, whose further source files end in _b.
func names(t *testing.T) (list []string) {
	t.Helper()
	sources, err := filepath.Glob("src/*.c")
	if err != nil || len(sources) < minPairs {
		t.Fatalf("got %d sources, %v, want at least %d", len(sources), err, minPairs)
	}
	for _, s := range sources {
		if name := strings.TrimSuffix(filepath.Base(s), ".c"); !strings.HasSuffix(name, "_b") {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// encode encodes the image of a pair.
func encode(t *testing.T, name, compiler, side string) cause.Input {
	t.Helper()
	f, err := elf.Open(filepath.Join(name, compiler+"-"+side+".elf"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	res, err := encoder.Encode(context.Background(), f, encoder.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return cause.Input{Object: res.Object, Name: side}
}

func TestPairs(t *testing.T) {
	for _, name := range names(t) {
		t.Run(name, func(t *testing.T) {
			var all []*cause.Comparison
			for _, compiler := range compilers {
				old, new := encode(t, name, compiler, "old"), encode(t, name, compiler, "new")
				all = append(all, cause.Compare(old, new, cause.Options{}))
			}
			if differing[name] == "" {
				sameComparison(t, all[0], all[1])
				all = all[:1]
			} else if reflect.DeepEqual(facts(all[0]), facts(all[1])) {
				t.Error("both compilers give the same comparison; the pair need not be among those that differ")
			}
			for i, c := range all {
				prefix := ""
				if len(all) > 1 {
					prefix = compilers[i] + "."
				}
				checkGoldens(t, name, prefix, c)
			}
		})
	}
}

// facts are what a comparison says, without how many types the sides have: compilers leave out what no code uses.
func facts(c *cause.Comparison) cause.Comparison {
	f := *c
	f.Old, f.New = cause.Side{}, cause.Side{}
	return f
}

func sameComparison(t *testing.T, gcc, clang *cause.Comparison) {
	t.Helper()
	if a, b := facts(gcc), facts(clang); !reflect.DeepEqual(a, b) {
		t.Errorf("the compilers differ: %s says\n%s\n%s says\n%s", compilers[0], text(t, &a, show.JSON), compilers[1], text(t, &b, show.JSON))
	}
}

func text(t *testing.T, c *cause.Comparison, write func(io.Writer, *cause.Comparison) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b, c); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// checkGoldens compares the three forms with the goldens of a pair.
func checkGoldens(t *testing.T, name, prefix string, c *cause.Comparison) {
	t.Helper()
	g := goldie.New(t, goldie.WithFixtureDir(name))
	g.Assert(t, prefix+"text", text(t, c, func(w io.Writer, c *cause.Comparison) error {
		return show.Text(w, c, show.Options{Verbose: true})
	}))
	g.Assert(t, prefix+"json", text(t, c, show.JSON))
	g.Assert(t, prefix+"markdown", text(t, c, func(w io.Writer, c *cause.Comparison) error {
		return show.Markdown(w, c, show.Options{})
	}))
}

// Every file belongs to a pair that the README lists, and all are small.
func TestComplete(t *testing.T) {
	list := names(t)
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllSubmatch(readme, -1) {
		rows = append(rows, string(row[1]))
	}
	if slices.Sort(rows); !slices.Equal(rows, list) {
		t.Errorf("README.md has rows for %q, want %q", rows, list)
	}
	total := 0
	for _, name := range list {
		want := []string{}
		for _, compiler := range compilers {
			want = append(want, compiler+"-new.elf", compiler+"-old.elf")
			if differing[name] != "" {
				want = append(want, compiler+".json.golden", compiler+".markdown.golden", compiler+".text.golden")
			}
		}
		if differing[name] == "" {
			want = append(want, "json.golden", "markdown.golden", "text.golden")
		}
		files, err := os.ReadDir(name)
		if err != nil {
			t.Error(err)
			continue
		}
		var got []string
		for _, f := range files {
			got = append(got, f.Name())
			info, err := f.Info()
			if err != nil {
				t.Fatal(err)
			}
			if total += int(info.Size()); filepath.Ext(f.Name()) == ".elf" && info.Size() > maxImage {
				t.Errorf("%s/%s: got %d bytes, want at most %d", name, f.Name(), info.Size(), maxImage)
			}
		}
		if slices.Sort(want); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	for name := range differing {
		if !slices.Contains(list, name) {
			t.Errorf("%s is among those that differ, but is no pair", name)
		}
	}
	if total > maxAll {
		t.Errorf("got %d bytes, want at most %d", total, maxAll)
	}
}
