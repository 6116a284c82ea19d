package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// crawled is what kernel-crawler writes, with a configuration, which is a long text.
var crawled = `{
  "Debian": [
    {
      "kernelversion": "1", "kernelrelease": "6.1.0-18-amd64", "target": "debian",
      "headers": ["http://deb.debian.org/debian/pool/main/l/linux/linux-headers-6.1.0-18-amd64_6.1.76-1_amd64.deb"],
      "kernelconfigdata": "` + strings.Repeat("Q09ORklHCg==", 1000) + `"
    },
    {"kernelversion": "1", "kernelrelease": "6.1.0-18-rt-amd64", "target": "debian", "headers": []}
  ],
  "Ubuntu": [{"kernelversion": "26~20.04.1", "kernelrelease": "5.15.0-100-generic", "target": "ubuntu", "headers": []}]
}
`

func TestLists(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"JSON lines", map[string]string{
			"d/m.yaml": `version: 1
images_from: [lists/*.jsonl, /all.json]
defaults: {profile: pahole, outputs: {btf: "out/${{ image.name }}.btf"}, verify: "6.1"}
images: [{path: last}]
`,
			"d/lists/a.jsonl": "{\"name\": \"é\", \"path\": \"a\\u0062.elf\", \"outputs\": {\"dump\": \"ab.raw\"}}\n\n" +
				" {\"name\":\"two-${{ matrix.n }}\",\"path\":\"x\",\"matrix\":{\"n\":[6.10,true]},\"verify\":null,\"sort_by_name\":false}\n",
			"d/lists/b.jsonl": `{"name": "three", "path": "c"}`,
			"/all.json":       "[\n{\"name\": \"four\",\n \"path\": \"/d\"}, {\"path\": \"e\"}]",
		}, []string{
			"é d/lists/ab.elf pahole [{outputs.btf d/out/é.btf} {outputs.dump d/lists/ab.raw}] [6.1] d/lists/a.jsonl:1:1",
			"two-6.10 d/lists/x pahole [{outputs.btf d/out/two-6.10.btf}] [] d/lists/a.jsonl:3:2",
			"two-true d/lists/x pahole [{outputs.btf d/out/two-true.btf}] [] d/lists/a.jsonl:3:2",
			"three d/lists/c pahole [{outputs.btf d/out/three.btf}] [6.1] d/lists/b.jsonl:1:1",
			"four /d pahole [{outputs.btf d/out/four.btf}] [6.1] /all.json:2:1",
			"e /e pahole [{outputs.btf d/out/e.btf}] [6.1] /all.json:3:17",
			"last d/last pahole [{outputs.btf d/out/last.btf}] [6.1] d/m.yaml:4:10",
		}},
		{"kernel-crawler", map[string]string{
			"d/m.yaml": `version: 1
images_from:
  file: list.json
  format: kernel-crawler
  where: {distro: Debian, kernelrelease: ["*-amd64"]}
  template:
    name: "${{ row.target }}/${{ row.kernelrelease }}"
    path: kernels/${{ row.kernelrelease }}
    release: ${{ row.kernelrelease }}
`,
			"d/list.json": crawled,
		}, []string{
			"debian/6.1.0-18-amd64 d/kernels/6.1.0-18-amd64 default [] [] d/list.json:3:5",
			"debian/6.1.0-18-rt-amd64 d/kernels/6.1.0-18-rt-amd64 default [] [] d/list.json:8:5",
		}},
		{"template of lines, with a matrix", map[string]string{
			"d/m.yaml": `version: 1
defaults: {arch: "${{ row.arch }}"}
matrix: {kind: [a, b]}
images_from: [{file: l.jsonl, template: {name: "${{ row.n }}-${{ matrix.kind }}", path: "${{ row.n }}"}}]
`,
			"d/l.jsonl": "{\"n\": 1, \"arch\": \"arm64\", \"more\": [{}]}\n{\"n\": \"x/y\", \"arch\": \"amd64\"}\n",
		}, []string{
			"1-a d/1 default [] [] d/l.jsonl:1:1", "1-b d/1 default [] [] d/l.jsonl:1:1",
			"x/y-a d/x/y default [] [] d/l.jsonl:2:1", "x/y-b d/x/y default [] [] d/l.jsonl:2:1",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := checkSchema(t, tt.files["d/m.yaml"]); err != nil {
				t.Errorf("the schema refuses it: %v", err)
			}
			m, err := load(tt.files)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, im := range m.Images {
				got = append(got, fmt.Sprintf("%s %s %s %v %v %s", im.Name, im.Path, im.Profile, im.Outputs.List(), im.Verify, im.start()))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

// TestListDigest: the digest of a manifest depends on its lists.
func TestListDigest(t *testing.T) {
	files := map[string]string{"d/m.yaml": "version: 1\nimages_from: l\n", "d/l": `{"path": "a"}`}
	a, err := load(files)
	if err != nil {
		t.Fatal(err)
	}
	files["d/l"] += " "
	b, err := load(files)
	if err != nil {
		t.Fatal(err)
	}
	if a.SHA256 == b.SHA256 {
		t.Error("the list changed, and the digest did not")
	}
}

func TestWrongLists(t *testing.T) {
	const manifest = "version: 1\nimages_from: l\n"
	filled := func(template string) string {
		return "version: 1\nimages_from: {file: l, template: " + template + "}\n"
	}
	crawler := func(more string) string {
		return "version: 1\nimages_from: {file: l, format: kernel-crawler" + more + "}\n"
	}
	for _, tt := range []struct{ name, manifest, list, want string }{
		{"unknown key", manifest, "{\"path\": \"a\"}\n{\"path\": \"é\", \"fetures\": []}\n",
			`d/l:2:15: unknown key "fetures" in an image (did you mean "features"?)`},
		{"wrong value", manifest, `{"path": "a", "outputs": {"btf": 1, "x": 2}}`, `d/l:1:37: outputs: unknown key "x" in outputs (did you mean "c"?)`},
		{"key twice", manifest, `{"path": "a", "path": "b"}`, `d/l:1:15: path: key "path" is given twice, first at 1:2`},
		{"no place", manifest, `{"name": "a"}`, "d/l:1:1: path is missing; an image needs path, or from"},
		{"no object", manifest, "7\n[1]", "d/l:1:1: must be a JSON object, not a number\nd/l:2:2: must be a JSON object, not a number"},
		{"name twice", manifest, "{\"path\": \"a\"}\n{\"name\": \"a\", \"path\": \"b\"}", `d/l:2:10: name: name "a" is already used by the image at line 1`},
		{"empty", manifest, " \n", "d/m.yaml:2:14: images_from: d/l has no images"},
		{"empty array", manifest, "[]", "d/m.yaml:2:14: images_from: d/l has no images"},
		{"cut row", manifest, "{\"path\": \"a\"}\n{\"path\": \"b\", ", "d/l:2:1: value is not complete"},
		{"cut array", manifest, "[{\"path\": \"a\"},", "d/l:1:16: value is not complete"},
		{"cut text", manifest, "{\"path\": \"a", "d/l:1:1: value is not complete"},
		{"no comma", manifest, `{"path": "a" "name": "b"}`, `d/l:1:14: found '"', not a comma or }`},
		{"trailing comma", manifest, `{"path": "a",}`, `d/l:1:14: found '}', not a key in double quotes`},
		{"no colon", manifest, `{"path" "a"}`, `d/l:1:9: found '"', not a colon`},
		{"no JSON", manifest, "{\"path\": a.elf}", `d/l:1:10: path: "a.elf" is no JSON value; put texts into double quotes`},
		{"YAML", manifest, "path: a\n", `d/l:1:1: "path" is no JSON value; put texts into double quotes`},
		{"line break in a text", manifest, "{\"path\": \"a\nb\"}", "d/l:1:10: text has a control character or a line break; write it as an escape"},
		{"wrong escape", manifest, `{"path": "\x"}`, "d/l:1:10: text has an escape that JSON does not know"},
		{"no UTF-8", manifest, "{\"path\": \"\xff\"}", "d/l:1:10: text is not valid UTF-8"},
		{"zero byte", manifest, "\x00", "d/l:1:1: zero byte; a list must be text"},
		{"long value", manifest, `{"path": "` + strings.Repeat("x", 4100) + `"}`, "d/l:1:10: value of more than 4096 bytes"},
		{"deep", manifest, `{"path": ` + strings.Repeat("[", 40), "d/l:1:41: path" + strings.Repeat("[0]", 31) + ": nested more than 32 levels deep"},
		{"no value", manifest, `{"path": }`, `d/l:1:10: path: found '}', not a value`},
		{"row outside of a template", manifest, `{"path": "${{ row.x }}"}`, "d/l:1:10: path: row.x is used outside of a template of images_from"},
		{"row in an image", "version: 1\nimages: [{path: \"${{ row.x }}\"}]\n", "", "d/m.yaml:2:18: images[0].path: row.x is used outside of a template of images_from"},
		{"no such value", filled(`{path: "${{ row.nam }}"}`), `{"name": "a"}`,
			`d/m.yaml:2:42: images_from.template.path: row.nam is used but the row has no nam, for the image at d/l:1:1 (did you mean "row.name"?)`},
		{"empty value", filled(`{path: "${{ row.n }}"}`), "{\"n\": 1}\n{\"n\": null}",
			`d/m.yaml:2:42: images_from.template.path: row.n is used but it is null, for the image at d/l:2:1`},
		{"list for a value", filled(`{path: "${{ row.n }}"}`), `{"n": []}`,
			`d/m.yaml:2:42: images_from.template.path: row.n is used but it is a list, not a single value, for the image at d/l:1:1`},
		{"expression in a row", filled(`{path: "${{ row.n }}"}`), `{"n": "${{ image.file }}"}`, `d/l:1:7: n: n has an expression; expressions are not allowed in a row for a template`},
		{"names that are equal", filled(`{path: v, name: "${{ row.n }}"}`), "{\"n\": 1}\n{\"n\": 1}",
			`d/m.yaml:2:50: images_from.template.name: name "1" is already used by the image at d/l:1:1, for the image at d/l:2:1`},
		{"wrong key in a template", filled(`{pth: v}`), `{"n": 1}`,
			"d/m.yaml:2:34: images_from.template: path is missing; an image needs path, or from\n" +
				`d/m.yaml:2:35: images_from.template: unknown key "pth" in an image (did you mean "path"?)`},
		{"template of another kind", filled(`[v]`), `{}`, "d/m.yaml:2:34: images_from.template: template must be a mapping with the keys of an image, not a list"},
		{"crawler without a template", crawler(""), crawled,
			"d/m.yaml:2:14: images_from: template is missing: kernel-crawler lists packages of headers, which have no DWARF, so a template must say where the images are"},
		{"no crawler", crawler(", template: {path: v}"), `[{"n": 1}]`, "d/l:1:1: kernel-crawler writes one JSON object, with an array for each distribution"},
		{"no crawler either", crawler(", template: {path: v}"), `{"n": 1}`, "d/l:1:7: n: found '1', not an array of the kernels of n"},
		{"cut crawler", crawler(", template: {path: v, name: \"${{ row.n }}\"}"), `{"n": [{"n": 1}`, "d/l:1:16: list is not complete"},
		{"nothing taken", crawler(", where: {target: debain}, template: {path: v}"), crawled,
			"d/m.yaml:2:21: images_from.file: where takes none of the 3 rows of d/l"},
		{"wrong format", "version: 1\nimages_from: {file: l, format: line}\n", "", `d/m.yaml:2:32: images_from.format: unknown format "line"; use lines or kernel-crawler (did you mean "lines"?)`},
		{"wrong where", "version: 1\nimages_from: {file: l, where: [a]}\n", "", "d/m.yaml:2:31: images_from.where: where must be a mapping from names to patterns, not a list"},
		{"malformed where", "version: 1\nimages_from: {file: l, where: {a: \"[\"}}\n", "", `d/m.yaml:2:35: images_from.where.a: glob "[" is malformed`},
		{"no file", "version: 1\nimages_from: {template: {path: v}}\n", "", "d/m.yaml:2:14: images_from: file is missing"},
		{"unknown key of a list", "version: 1\nimages_from: {file: l, templ: {path: v}}\n", "", `d/m.yaml:2:24: images_from: unknown key "templ" in images_from`},
		{"nothing", "version: 1\nimages_from: []\n", "", "d/m.yaml:2:14: images_from: images_from is empty"},
		{"missing file", "version: 1\nimages_from: [k, l]\n", `{"path": "a"}`, "d/m.yaml:2:15: images_from[0]: d/k: file does not exist"},
		{"list twice", "version: 1\nimages_from: [l, l]\n", `{"path": "a"}`, "d/m.yaml:2:18: images_from[1]: d/l is already included at d/m.yaml:2:15"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := load(map[string]string{"d/m.yaml": tt.manifest, "d/l": tt.list})
			var ps *Problems
			if !errors.As(err, &ps) {
				t.Fatalf("got %v, want problems", err)
			}
			if got := ps.Error(); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestListIsBounded: a list with an error in every row, or with too many rows, ends soon.
func TestListIsBounded(t *testing.T) {
	for _, tt := range []struct{ name, row, want string }{
		{"errors", "{\"pth\": 1}\n", "d/l:1:1: path is missing"},
		{"images", "{\"path\": \"v\", \"name\": \"same\"}\n", "manifest has more than 100000 images"},
	} {
		files := map[string]string{"d/m.yaml": "version: 1\nimages_from: l\n", "d/l": strings.Repeat(tt.row, maxImages+5000)}
		_, err := load(files)
		var ps *Problems
		if !errors.As(err, &ps) || !strings.Contains(ps.Error(), tt.want) || ps.More > 2*tooMany {
			t.Errorf("%s: got %.200v", tt.name, err)
		}
	}
}

// FuzzList checks that any list gives either images or problems with a place in it.
func FuzzList(f *testing.F) {
	for _, text := range []string{`{"path": "v"}`, "{\"path\": \"v\"}\n[{\"path\": \"w\", \"matrix\": {\"a\": [1]}}]", crawled, `{"n": "\ud800", "m": 1e5}`, "[", "\xef\xbb\xbf{}"} {
		f.Add([]byte(text), false)
		f.Add([]byte(text), true)
	}
	f.Fuzz(func(t *testing.T, data []byte, crawler bool) {
		manifest := "version: 1\nimages_from: l\n"
		if crawler {
			manifest = "version: 1\nimages_from: {file: l, format: kernel-crawler, template: {path: v, name: \"${{ row.kernelrelease }}\"}}\n"
		}
		m, err := load(map[string]string{"d/m.yaml": manifest, "d/l": string(data)})
		if err == nil {
			for _, im := range m.Images {
				checkImage(t, im)
			}
			return
		}
		var ps *Problems
		if !errors.As(err, &ps) || len(ps.List) == 0 {
			t.Fatalf("error without problems: %v", err)
		}
		lines := 1 + strings.Count(string(data), "\n")
		for _, p := range ps.List {
			if p.Line < 1 || p.Column < 1 || p.Message == "" || strings.ContainsAny(p.String(), "\n\r") || p.File == "d/l" && p.Line > lines {
				t.Fatalf("%d lines, problem %+v", lines, p)
			}
		}
	})
}
