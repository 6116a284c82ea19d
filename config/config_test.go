package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/encoder/feature"
)

func testEnv(name string) (string, bool) {
	text, ok := map[string]string{"KERNELS": "/srv/kernels", "EMPTY": "", "LONG": strings.Repeat("x", 3000)}[name]
	return text, ok
}

func mustParse(t *testing.T, text string) *Manifest {
	t.Helper()
	m, err := parse("dir/batch.yaml", []byte(text), testEnv, testDisk)
	if err != nil {
		t.Fatalf("Parse: %v\n%s", err, text)
	}
	if err := checkSchema(t, text); err != nil {
		t.Errorf("Parse accepts it, the schema does not: %v\n%s", err, text)
	}
	return m
}

// problemsOf are the problems of a manifest without the file's name.
func problemsOf(t *testing.T, text string) []string {
	t.Helper()
	_, err := parse("m", []byte(text), testEnv, testDisk)
	if err == nil {
		return nil
	}
	var ps *Problems
	if !errors.As(err, &ps) {
		t.Fatalf("error is %T, not *Problems", err)
	}
	return strings.Split(strings.ReplaceAll(ps.Error(), "m:", ""), "\n")
}

func TestDefaultsOfAnImage(t *testing.T) {
	m := mustParse(t, "version: 1\nimages:\n  - path: a/vmlinux\n")
	want := Image{
		Name: "vmlinux", Path: "dir/a/vmlinux", Profile: Default, Features: feature.Default(),
		Line: 3, Column: 5,
	}
	got := m.Images[0]
	got.at, got.src = nil, nil
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if m.Dir != "dir" || m.File != "dir/batch.yaml" {
		t.Errorf("got %q in %q", m.File, m.Dir)
	}
}

func TestEveryKey(t *testing.T) {
	sum := strings.Repeat("0123456789abcdef", 4)
	m := mustParse(t, `version: 1
images:
  - name: k/one
    path: vmlinux
    arch: AMD64
    sha256: sha256:`+strings.ToUpper(sum)+`
    build_id: 1234567890
    profile: pahole
    features: +global_var, layout, distilled_base
    lang_exclude: Rust, c++
    sections:
      - section: .data*
        exclude: [unnamed, "__ksym*", non-allocated]
        datasec: false
        unique: True
      - {section: .bss, exclude: []}
    sort_by_name: true
    verify: [5.10, 6.1, newest]
    outputs: {btf: /out/a.btf, base: a.base, dump: a.raw, elf: ../a.elf}
    golden: g.raw.zst
    base_path: base.btf
    base_sha256: `+sum+`
`)
	want := Image{
		Name: "k/one", Path: "dir/vmlinux", Arch: "x86_64", SHA256: sum, BuildID: "1234567890", Profile: Pahole,
		Features: feature.Default().With(feature.GlobalVar, feature.Layout, feature.DistilledBase), FeaturesGiven: true,
		LangExclude: []string{"rust", "c++"},
		Sections: []SectionRule{
			{".data*", Exclude{NonAllocated: true, Unnamed: true, Symbols: []string{"__ksym*"}}, false, true},
			{".bss", Exclude{}, true, true},
		},
		SectionsGiven: true, SortByName: true, Verify: []string{"5.10", "6.1", "newest"},
		Outputs:  Outputs{BTF: "/out/a.btf", Base: "dir/a.base", Dump: "dir/a.raw", ELF: "a.elf"},
		Golden:   "dir/g.raw.zst",
		BasePath: "dir/base.btf", BaseSHA256: sum, Line: 3, Column: 5,
	}
	got := m.Images[0]
	got.at, got.src = nil, nil
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// What a rule means does not depend on the profile, which the command line may replace.
func TestSections(t *testing.T) {
	rule := SectionRule{".bss", defaultExclude, true, true}
	for _, tt := range []struct {
		name, keys string
		want       []SectionRule
		given      bool
	}{
		{"none", "profile: default", nil, false},
		{"global_var", "features: +global_var", nil, false},
		{"pahole", "profile: pahole", nil, false},
		{"rules", "sections: [{section: .bss}]", []SectionRule{rule}, true},
		{"rules under pahole", "profile: pahole, sections: [{section: .bss}]", []SectionRule{rule}, true},
		{"no rule at all", "sections: []", []SectionRule{}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := mustParse(t, "version: 1\nimages: [{path: vmlinux, "+tt.keys+"}]\n").Images[0]
			if !reflect.DeepEqual(m.Sections, tt.want) || m.SectionsGiven != tt.given {
				t.Errorf("got %+v, given %v, want %+v, given %v", m.Sections, m.SectionsGiven, tt.want, tt.given)
			}
		})
	}
}

func TestDefaultsMerge(t *testing.T) {
	m := mustParse(t, `version: 1
defaults:
  profile: pahole
  outputs:
    btf: out/${{ image.name }}.btf
    dump: out/${{ image.name }}.raw
  lang_exclude: [rust]
  base_path: common.btf
images:
  - name: a
    path: a
  - name: b
    path: b
    profile: default
    outputs: {elf: b.elf, dump: ~}
    lang_exclude:
    base_path: ~
  - name: c
    path: c
    base: b
    outputs: ~
`)
	a, b, c := m.Images[0], m.Images[1], m.Images[2]
	if a.Profile != Pahole || b.Profile != Default {
		t.Errorf("profiles: got %s, %s", a.Profile, b.Profile)
	}
	if want := (Outputs{BTF: "dir/out/a.btf", Dump: "dir/out/a.raw"}); a.Outputs != want {
		t.Errorf("a: got %+v, want %+v", a.Outputs, want)
	}
	if want := (Outputs{BTF: "dir/out/b.btf", ELF: "dir/b.elf"}); b.Outputs != want {
		t.Errorf("b: got %+v, want %+v", b.Outputs, want)
	}
	if !slices.Equal(a.LangExclude, []string{"rust"}) || b.LangExclude != nil {
		t.Errorf("lang_exclude: got %v, %v", a.LangExclude, b.LangExclude)
	}
	if c.Outputs != (Outputs{}) || a.BasePath != "dir/common.btf" || c.BasePath != "" || b.BasePath != "" || c.Base != "b" {
		t.Errorf("c: got %+v", c)
	}
}

func TestAnchorsAndMergeKeys(t *testing.T) {
	m := mustParse(t, `version: 1
defaults: &d
  features: &f [var, float]
images:
  - &first
    name: a
    path: a
    arch: arm64
  - <<: *first
    name: b
  - <<: [{arch: s390x, golden: g}, *first]
    name: c
    features: *f
`)
	for i, want := range []struct{ name, arch, path, golden string }{
		{"a", "arm64", "dir/a", ""}, {"b", "arm64", "dir/a", ""}, {"c", "s390x", "dir/a", "dir/g"},
	} {
		got := m.Images[i]
		if got.Name != want.name || got.Arch != want.arch || got.Path != want.path || got.Golden != want.golden {
			t.Errorf("image %d: got %+v, want %+v", i, got, want)
		}
		if got.Features != feature.Of(feature.Var, feature.Float) {
			t.Errorf("image %d: features %s", i, got.Features)
		}
	}
}

func TestArches(t *testing.T) {
	for _, tt := range []struct{ name, want string }{
		{"x86_64", "x86_64"}, {"amd64", "x86_64"}, {"x86", "i386"}, {"i686", "i386"}, {"aarch64", "arm64"},
		{"armhf", "arm"}, {"S390X", "s390x"}, {"ppc64el", "ppc64le"}, {"loong64", "loongarch64"}, {"powerpc", "ppc"}, {"parisc", "hppa"},
	} {
		a, ok := ArchByName(tt.name)
		if !ok || a.Name != tt.want {
			t.Errorf("%s: got %q, %v, want %q", tt.name, a.Name, ok, tt.want)
		}
	}
	seen := map[Arch]bool{}
	for _, name := range ArchNames() {
		a, _ := ArchByName(name)
		if got := ArchOf(a.Machine, a.Class, a.Data); got != a {
			t.Errorf("%s: its header reads as %s", name, got.Name)
		}
		a.Name = ""
		if seen[a] {
			t.Errorf("%s: another name has the same header", name)
		}
		seen[a] = true
	}
	for alias := range aliases {
		if _, ok := ArchByName(alias); !ok || slices.Contains(ArchNames(), alias) {
			t.Errorf("alias %s is not one", alias)
		}
	}
	if got := ArchOf(2, 1, 2).Name; got != "EM_SPARC/ELFCLASS32/ELFDATA2MSB" {
		t.Errorf("unlisted architecture: got %q", got)
	}
}

func TestFill(t *testing.T) {
	m := mustParse(t, `version: 1
images:
  - name: deb/${{ image.file }}
    path: "${{ env.KERNELS }}/**/[a-z]*.ko"
    arch: s390x
    base: base-${{ image.file }}
    golden: goldens/${{ image.name }}-${{ image.arch }}.raw
    outputs:
      btf: out/${{image.file}}.btf
  - name: base-ext4
    path: b
`).Images[0]
	if m.Path != "/srv/kernels" || m.Glob != "**/[a-z]*.ko" || !m.NamedByFile() || m.Label() != "deb/**/[a-z]*.ko" {
		t.Fatalf("got %+v", m)
	}
	f, err := m.Fill(Facts{File: "/srv/kernels/fs/ext4.ko"})
	if err != nil {
		t.Fatal(err)
	}
	if f.Name != "deb/ext4" || f.Path != "/srv/kernels/fs/ext4.ko" || f.Glob != "" || f.Base != "base-ext4" ||
		f.Golden != "dir/goldens/deb/ext4-s390x.raw" || f.Outputs.BTF != "dir/out/ext4.btf" {
		t.Errorf("got %+v", f)
	}
	if _, err := m.Fill(Facts{File: "/srv/kernels/a b.ko"}); err == nil || err.Error() != `name "deb/a b" contains the character ' ', which is not allowed` {
		t.Errorf("name with a blank: got %v", err)
	}
}

func TestFileStem(t *testing.T) {
	for _, tt := range []struct{ file, want string }{
		{"k/6.12-cloud-amd64.vmlinux", "6.12-cloud-amd64"}, {"vmlinux-6.12", "vmlinux-6.12"}, {"vmlinux", "vmlinux"},
		{"ext4.ko", "ext4"}, {"ext4.ko.debug", "ext4.ko"}, {".hidden", ".hidden"}, {"a.", "a."},
		{"vmlinux-6.1.0-50-amd64", "vmlinux-6.1.0-50-amd64"},
	} {
		if got := FileStem(tt.file); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.file, got, tt.want)
		}
	}
}

func TestLoad(t *testing.T) {
	file := filepath.Join(t.TempDir(), "m.yaml")
	t.Setenv("BTFBATCH_TEST_FOLDER", "kernels")
	text := "version: 1\nimages: [{path: \"${{ env.BTFBATCH_TEST_FOLDER }}/vmlinux\"}]\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	m, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(filepath.Dir(file), "kernels", "vmlinux"); m.Images[0].Path != want {
		t.Errorf("got %q, want %q", m.Images[0].Path, want)
	}
	if _, err := Load(file + ".none"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing manifest: got %v", err)
	}
	if err := os.WriteFile(file, make([]byte, maxBytes+1), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(file); err == nil || !strings.Contains(err.Error(), ":1:1: manifest is larger than") {
		t.Errorf("huge manifest: got %v", err)
	}
}

func TestBounds(t *testing.T) {
	bomb := "version: 1\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range 9 {
		bomb += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 10), ", "))
	}
	axes := "version: 1\nmatrix:\n"
	name := "x"
	for i := range 6 {
		axes += fmt.Sprintf("  a%d: [1, 2, 3, 4, 5, 6, 7, 8]\n", i)
		name += fmt.Sprintf("-${{ matrix.a%d }}", i)
	}
	axes += "images: [{path: v, name: \"" + name + "\"}]\n"
	for _, tt := range []struct{ name, text, want string }{
		{"aliases", bomb, "manifest has more than 200000 values when aliases are expanded"},
		{"matrix", axes, "matrix has more than 100000 combinations"},
		{"value", "version: 1\nimages: [{path: \"${{ env.LONG }}${{ env.LONG }}\"}]", "value has more than 4096 bytes after its expressions are replaced"},
		{"text of a value", "version: 1\nimages: [{path: " + strings.Repeat("x", 4097) + "}]", "value of 4097 bytes, more than 4096"},
		{"axes", "version: 1\nmatrix: {a" + strings.Join(numbers(33), ": [1], a") + ": [1]}\nimages: [{path: v}]\n", "matrix has 33 names; at most 32 are allowed"},
		{"names of an include", "version: 1\nmatrix: {include: [{a" + strings.Join(numbers(33), ": 1, a") + ": 1}]}\nimages: [{path: v}]\n",
			"has 33 names; 1 to 32 are allowed"},
		{"include", "version: 1\nmatrix:\n  a: [" + strings.Join(numbers(300), ", ") + "]\n  include:\n" + strings.Repeat("  - {a: 2, b: 3}\n", 48000) + "images: [{path: '${{matrix.a}}'}]\n",
			"manifest has more than 8000000 values when the matrix is expanded"},
		{"list of images", "version: 1\nimages:\n" + strings.Repeat("- {path: v, base: w}\n", maxImages+1000),
			fmt.Sprintf("%d:3: images[%d]: manifest has more than 100000 images", maxImages+3, maxImages)},
		{"depth", "version: 1\nx: " + strings.Repeat("[", 40) + strings.Repeat("]", 40), "nested more than 32 levels deep"},
		{"images", "version: 1\nmatrix: {a: [" + strings.Join(numbers(maxImages), ", ") + "]}\nimages:\n" +
			"  - {path: a, name: \"a${{ matrix.a }}\"}\n  - {path: a, name: \"b${{ matrix.a }}\"}\n", "manifest has more than 100000 images"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := problemsOf(t, tt.text)
			if len(got) != 1 || !strings.Contains(got[0], tt.want) {
				t.Errorf("got %q, want one with %q", got, tt.want)
			}
		})
	}
}

func numbers(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprint(i)
	}
	return out
}

// TestDefaultGolden: golden in the defaults is merged key by key, and its expressions are those of each image.
func TestDefaultGolden(t *testing.T) {
	const all = "golden: {path: 'g/${{ image.name }}.raw', policy: semantic, allow: [size], dialect: bpftool-7.8}"
	for _, tt := range []struct {
		name, defaults, image string
		path                  string
		want                  Check
	}{
		{"the default", all, "", "g/v.raw", Check{Policy: Semantic, Allow: []Allow{{Rule: "size"}}, Dialect: "bpftool-7.8"}},
		{"a path", all, "golden: x", "x", Check{Policy: Semantic, Allow: []Allow{{Rule: "size"}}, Dialect: "bpftool-7.8"}},
		{"a policy", all, "golden: {policy: exact}", "g/v.raw", Check{Policy: Exact, Allow: []Allow{{Rule: "size"}}, Dialect: "bpftool-7.8"}},
		{"other rules", all, "golden: {allow: [order]}", "g/v.raw", Check{Policy: Semantic, Allow: []Allow{{Rule: "order"}}, Dialect: "bpftool-7.8"}},
		{"none of it", all, "golden:", "", Check{}},
		{"less of it", all, "golden: {allow: , dialect: }", "g/v.raw", Check{Policy: Semantic}},
		{"a policy that excludes the rest", all, "golden: {policy: image}", "", Check{Policy: OwnBTF, Allow: []Allow{{Rule: "size"}}}},
		{"digest", all, "golden: {policy: digest, path: sums}", "sums", Check{Policy: Digest}},
		{"no path, no golden", "golden: {policy: semantic}", "", "", Check{}},
		{"no path, a golden", "golden: {policy: semantic}", "golden: x", "x", Check{Policy: Semantic}},
		{"own BTF", "golden: {policy: image}", "", "", Check{Policy: OwnBTF}},
		{"a path alone", "golden: 'g/${{ image.name }}'", "", "g/v", Check{}},
		{"a path alone, and a policy", "golden: 'g/${{ image.name }}'", "golden: {policy: semantic}", "g/v", Check{Policy: Semantic}},
	} {
		text := "version: 1\ndefaults:\n  " + tt.defaults + "\nimages:\n  - path: v\n"
		if tt.image != "" {
			text += "    " + tt.image + "\n"
		}
		m := mustParse(t, text)
		if got := m.Images[0]; strings.TrimPrefix(got.Golden, "dir/") != tt.path || !reflect.DeepEqual(got.Check, tt.want) {
			t.Errorf("%s: got %q, %+v, want %q, %+v", tt.name, got.Golden, got.Check, tt.path, tt.want)
		}
		if err := checkSchema(t, text); err != nil {
			t.Errorf("%s: the schema refuses it: %v", tt.name, err)
		}
	}
}
