package config

import (
	"slices"
	"strings"
	"testing"
)

func TestMatrix(t *testing.T) {
	for _, tt := range []struct{ name, matrix, image, want string }{
		{"product, first axis slowest", "a: [1, 2], b: [x, y]", "name: '${{ matrix.a }}${{ matrix.b }}'", "1x 1y 2x 2y"},
		{"only the axes in use", "a: [1, 2], b: [x, y]", "name: 'n${{ matrix.b }}', arch: arm}, {path: v2, name: '${{ matrix.a }}'", "nx ny 1 2"},
		{"numbers as written", "a: [6.10, 0x10, 1e3]", "name: '${{ matrix.a }}'", "6.10 0x10 1e3"},
		{"no axis in use", "a: [1]", "name: n}, {path: v2, name: '${{matrix.a}}'", "n 1"},
		{"exclude", "a: [1, 2], b: [x, y], exclude: [{a: 1, b: y}]", "name: '${{ matrix.a }}${{ matrix.b }}'", "1x 2x 2y"},
		{"exclude by one axis", "a: [1, 2], b: [x, y], exclude: [{a: 1}]", "name: '${{ matrix.a }}${{ matrix.b }}'", "2x 2y"},
		{"include extends", "a: [1, 2], include: [{a: 1, c: u}, {a: 2, c: w}]", "name: '${{ matrix.a }}${{ matrix.c }}'", "1u 2w"},
		{"include extends all and is overridden", "a: [1, 2], include: [{c: u}, {a: 2, c: w}]", "name: '${{ matrix.a }}${{ matrix.c }}'", "1u 2w"},
		{"include adds a combination", "a: [1, 2], include: [{a: 3}]", "name: '${{ matrix.a }}'", "1 2 3"},
		{"include does not extend what include added", "a: [1], include: [{a: 2}, {a: 2, c: u}]", "name: '${{ matrix.a }}'", "1 2"},
		{"include brings an excluded one back", "a: [1, 2], exclude: [{a: 2}], include: [{a: 2}]", "name: '${{ matrix.a }}'", "1 2"},
		{"include alone", "include: [{a: 1, b: x}, {a: 2, b: y}]", "name: '${{ matrix.a }}${{ matrix.b }}'", "1x 2y"},
		{"an added combination says nothing of other axes", "a: [1], b: [x], include: [{a: 2}]",
			"name: 'n${{ matrix.b }}'}, {path: v2, name: 'm${{ matrix.a }}'", "nx m1 m2"},
		{"use in a nested value", "a: [1, 2]", "name: 'x-${{ matrix.a }}', sections: [{section: '.d${{ matrix.a }}'}]", "x-1 x-2"},
		{"image's own replaces the global", "a: [1, 2]", "matrix: {a: [3], b: [x]}, name: '${{ matrix.a }}${{ matrix.b }}'}, {path: v2, name: '${{ matrix.a }}'", "3x 1 2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := mustParse(t, "version: 1\nmatrix: {"+tt.matrix+"}\nimages: [{path: v, "+tt.image+"}]\n")
			var names []string
			for _, im := range m.Images {
				names = append(names, im.Name)
			}
			if got := strings.Join(names, " "); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestMatrixInDefaults(t *testing.T) {
	m := mustParse(t, `version: 1
matrix:
  arch: [amd64, arm64]
  unique: [true]
defaults:
  arch: ${{ matrix.arch }}
  sections:
    - section: .bss
      unique: ${{ matrix.unique }}
      exclude: x_${{ matrix.arch }}, unnamed
images:
  - name: k-${{ image.arch }}
    path: k/${{ image.arch }}
    outputs:
      btf: ${{ image.name }}
`)
	if len(m.Images) != 2 {
		t.Fatalf("got %d images", len(m.Images))
	}
	k := m.Images[0]
	if k.Name != "k-x86_64" || k.Path != "dir/k/x86_64" || k.Outputs.BTF != "dir/k-x86_64" || !k.Sections[0].Unique {
		t.Errorf("got %+v", k)
	}
	if x := k.Sections[0].Exclude; !x.Unnamed || x.ZeroAddress || !slices.Equal(x.Symbols, []string{"x_amd64"}) {
		t.Errorf("exclude: got %+v", x)
	}
}

func TestMatrixHoles(t *testing.T) {
	got := problemsOf(t, `version: 1
matrix:
  a: [1, 2]
  include: [{a: 1, c: u}]
images:
  - name: n-${{ matrix.a }}-${{ matrix.c }}
    path: v
`)
	if want := []string{`6:29: images[0].name: matrix.c has no value where a is "2"`}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
