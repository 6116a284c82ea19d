package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bmatcuk/doublestar/v4"
)

// memory is a disk with files by path.
func memory(files map[string]string) disk {
	return disk{
		read: func(path string) ([]byte, error) {
			text, ok := files[filepath.ToSlash(path)]
			if !ok {
				return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
			}
			return []byte(text), nil
		},
		open: func(path string) (io.ReadCloser, error) {
			text, ok := files[filepath.ToSlash(path)]
			if !ok {
				return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
			}
			return io.NopCloser(strings.NewReader(text)), nil
		},
		match: func(root, pattern string) (list []string, err error) {
			for name := range files {
				if ok, _ := doublestar.Match(path.Join(filepath.ToSlash(root), pattern), name); ok {
					list = append(list, name)
				}
			}
			slices.Sort(list)
			return list, nil
		},
		id: filepath.Clean,
	}
}

// testDisk has the files that the manifests of the tests include.
var testDisk = memory(map[string]string{
	"dir/extra.yaml":     "version: 1\nimages: [{path: v, name: extra}]\n",
	"dir/more/more.yaml": "version: 1\nimages: [{path: v, name: more}]\n",
	"dir/word":           "version: 1\nimages: [{path: v, name: word}]\n",
	"debian/a.yaml":      "version: 1\nimages: [{path: v, name: a}]\n",
	"ubuntu/all.yaml":    "version: 1\nimages: [{path: v, name: all}]\n",
	"kernels.jsonl":      "{\"path\": \"v\", \"name\": \"row\"}\n",
	"list.json":          `{"Debian": [{"kernelrelease": "6.1.0-18-amd64", "target": "debian"}]}`,
	"dir/kernels.jsonl":  "{\"path\": \"v\", \"name\": \"row\"}\n",
	"dir/list.json":      `{"Debian": [{"kernelrelease": "6.1", "target": "debian"}], "Ubuntu": []}`,
	"dir/7":              "version: 1\nimages: [{path: v, name: seven}]\n",
})

// load parses the manifest d/m.yaml of some files.
func load(files map[string]string) (*Manifest, error) {
	return parse("d/m.yaml", []byte(files["d/m.yaml"]), testEnv, memory(files))
}

func TestInclude(t *testing.T) {
	files := map[string]string{
		"d/m.yaml": `version: 1
include: [debian/*.yaml, ../other.yaml]
defaults: {profile: pahole, verify: "6.1", outputs: {btf: "out/${{ image.name }}.btf"}}
matrix: {n: [1, 2]}
images:
- {path: v, name: "main-${{ matrix.n }}", base: a}
`,
		"d/debian/a.yaml": "version: 1\nimages: [{path: v, name: a}]\n",
		"d/debian/b.yaml": `version: 1
matrix: {n: [x]}
defaults: {profile: default, outputs: {dump: "raw/${{ image.name }}.raw"}, verify: ~}
images: [{path: "${{ matrix.n }}", name: b}]
`,
		"other.yaml":   "version: 1\ninclude: far/*/c.yaml\ndefaults: {outputs: {btf: ~}}\nimages: [{path: o, name: o}]\n",
		"far/1/c.yaml": "version: 1\nimages: [{path: /v, name: c}]\n",
	}
	m, err := load(files)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i, im := range m.Images {
		if im.Order != i {
			t.Errorf("%s: order is %d, want %d", im.Name, im.Order, i)
		}
		got = append(got, fmt.Sprintf("%s %s %s %v %s:%d %v", im.Name, im.Path, im.Profile, im.Outputs.List(), im.start().src.file, im.Line, im.Verify))
	}
	want := []string{
		"a d/debian/v pahole [{outputs.btf d/out/a.btf}] d/debian/a.yaml:2 [6.1]",
		"b d/debian/x default [{outputs.btf d/out/b.btf} {outputs.dump d/debian/raw/b.raw}] d/debian/b.yaml:4 []",
		"c /v pahole [] far/1/c.yaml:2 [6.1]",
		"o o pahole [] other.yaml:4 [6.1]",
		"main-1 d/v pahole [{outputs.btf d/out/main-1.btf}] d/m.yaml:6 [6.1]",
		"main-2 d/v pahole [{outputs.btf d/out/main-2.btf}] d/m.yaml:6 [6.1]",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if want := []string{"d/debian/a.yaml", "d/debian/b.yaml", "other.yaml", "far/1/c.yaml"}; !slices.Equal(m.Others, want) {
		t.Errorf("got the files %q, want %q", m.Others, want)
	}

	// The digest is about all files, in their order.
	for name := range files {
		changed := maps.Clone(files)
		changed[name] += "# changed\n"
		if again, err := load(changed); err != nil || again.SHA256 == m.SHA256 {
			t.Errorf("%s changed: got the digest %s, %v", name, again.SHA256, err)
		}
	}
}

func TestWrongIncludes(t *testing.T) {
	one := func(name string) string { return "version: 1\nimages: [{path: v, name: " + name + "}]\n" }
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"missing", map[string]string{"d/m.yaml": "version: 1\ninclude: sub/a.yaml\n"}, "d/m.yaml:2:10: include: d/sub/a.yaml: file does not exist"},
		{"nothing in a glob", map[string]string{"d/m.yaml": "version: 1\ninclude: [a.yaml, sub/*.yaml]\n", "d/a.yaml": one("a")},
			`d/m.yaml:2:19: include[1]: glob "sub/*.yaml" matches no file`},
		{"malformed glob", map[string]string{"d/m.yaml": "version: 1\ninclude: \"[\"\n"}, `d/m.yaml:2:10: include: glob "[" is malformed`},
		{"itself", map[string]string{"d/m.yaml": "version: 1\ninclude: \"*.yaml\"\n"}, "d/m.yaml:2:10: include: manifests include each other: d/m.yaml → d/m.yaml"},
		{"circle", map[string]string{
			"d/m.yaml": "version: 1\ninclude: a.yaml\n", "d/a.yaml": "version: 1\ninclude: sub/b.yaml\n",
			"d/sub/b.yaml": "version: 1\ninclude: [c.yaml, ../a.yaml]\n", "d/sub/c.yaml": one("c"),
		}, "d/sub/b.yaml:2:19: include[1]: manifests include each other: d/a.yaml → d/sub/b.yaml → d/a.yaml"},
		{"twice", map[string]string{"d/m.yaml": "version: 1\ninclude: [a.yaml, b.yaml]\n", "d/a.yaml": "version: 1\ninclude: b.yaml\n", "d/b.yaml": one("b")},
			"d/m.yaml:2:19: include[1]: d/b.yaml is already included at d/a.yaml:2:10"},
		{"name taken", map[string]string{"d/m.yaml": "version: 1\ninclude: a.yaml\nimages: [{path: w, name: a}]\n", "d/a.yaml": one("a")},
			`d/m.yaml:3:26: images[0].name: name "a" is already used by the image at d/a.yaml:2:10`},
		{"base in no file", map[string]string{"d/m.yaml": "version: 1\ninclude: a.yaml\n", "d/a.yaml": "version: 1\nimages: [{path: v, base: b}]\n"},
			`d/a.yaml:2:26: images[0].base: no image is named "b" (did you mean "v"?)`},
		{"problems of several files", map[string]string{"d/m.yaml": "version: 1\ninclude: [a.yaml, b.yaml]\nimags: []\n",
			"d/a.yaml": "version: 1\nimages: [{path: v, nam: a}]\n", "d/b.yaml": "version: 2\n"},
			"d/m.yaml:3:1: unknown key \"imags\" in the manifest (did you mean \"images\"?)\n" +
				"d/a.yaml:2:20: images[0]: unknown key \"nam\" in an image (did you mean \"name\"?)\n" +
				"d/b.yaml:1:10: version: unknown version 2; this program supports version 1"},
		{"default that does not suit", map[string]string{"d/m.yaml": "version: 1\ninclude: a.yaml\nmatrix: {n: [1]}\n" +
			"defaults: {outputs: {btf: \"${{ matrix.n }}\"}}\nimages: [{path: w}]\n", "d/a.yaml": one("a")},
			"d/m.yaml:4:28: defaults.outputs.btf: matrix.n is used but there is no matrix, for the image at d/a.yaml:2:10"},
		{"no text", map[string]string{"d/m.yaml": "version: 1\ninclude: a.yaml\n", "d/a.yaml": "hello"},
			"d/a.yaml:1:1: a manifest must be a mapping with version and images, not a string"},
		{"expression", map[string]string{"d/m.yaml": "version: 1\ninclude: \"${{ env.HOME }}/a.yaml\"\n"}, "d/m.yaml:2:11: include: expressions are not allowed here"},
		{"nested lists", map[string]string{"d/m.yaml": "version: 1\ninclude: [[a.yaml]]\n", "d/a.yaml": one("a")}, "d/m.yaml:2:11: include[0]: must be a path, not a list"},
		{"neither", map[string]string{"d/m.yaml": "version: 1\ninclude: []\n"}, "d/m.yaml:2:10: include: include is empty"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := load(tt.files)
			var ps *Problems
			if !errors.As(err, &ps) {
				t.Fatalf("got %v, want problems", err)
			}
			if got := ps.Error(); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if strings.Contains(ps.Error(), "include is empty") {
				if err := checkSchema(t, tt.files["d/m.yaml"]); err == nil {
					t.Error("the schema accepts it")
				}
			}
		})
	}
}

// TestIncludedFiles reads included manifests from the disk, through a link.
func TestIncludedFiles(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"m.yaml": "version: 1\ninclude: [\"sub/**/*.yaml\", link.yaml]\n", "sub/x/a.yaml": "version: 1\nimages: [{path: v, name: a}]\n",
		"sub/b.yaml": "version: 1\nimages: [{path: v, name: b}]\n",
	})
	if err := os.Symlink(filepath.Join("sub", "b.yaml"), filepath.Join(dir, "link.yaml")); err != nil {
		t.Skipf("no links here: %v", err)
	}
	_, err := Load(filepath.Join(dir, "m.yaml"))
	if want := "link.yaml is already included at " + filepath.Join(dir, "m.yaml") + ":2:11"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
	write(t, dir, map[string]string{"m.yaml": "version: 1\ninclude: \"sub/**/*.yaml\"\n"})
	m, err := Load(filepath.Join(dir, "m.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := m.Images[1].Path, filepath.Join(dir, "sub", "x", "v"); len(m.Images) != 2 || got != want {
		t.Errorf("got %d images, the second at %s; want 2, %s", len(m.Images), got, want)
	}
	write(t, dir, map[string]string{"m.yaml": "version: 1\ninclude: sub\n"})
	if _, err := Load(filepath.Join(dir, "m.yaml")); err == nil || !strings.Contains(err.Error(), "folder") {
		t.Errorf("a folder: got %v", err)
	}
}

// write writes files below a folder.
func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
