package config

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"gopkg.in/yaml.v3"

	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/kernel"
)

var updateSchema = flag.Bool("update-schema", false, "write manifest.schema.json")

// TestSchemaFile: the published schema is the generated one.
func TestSchemaFile(t *testing.T) {
	want, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	if *updateSchema {
		if err := os.WriteFile("manifest.schema.json", want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("manifest.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("manifest.schema.json is not what the tables say: go test ./config -run SchemaFile -update-schema")
	}
}

// resolvedSchema is the schema as its text says it, ready to validate.
var resolvedSchema = sync.OnceValues(func() (*jsonschema.Resolved, error) {
	text, err := Schema()
	if err != nil {
		return nil, err
	}
	var s jsonschema.Schema
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, err
	}
	return s.Resolve(nil)
})

// checkSchema validates a manifest by the schema, as an editor would. A text that is not YAML is an error, too.
func checkSchema(t *testing.T, text string) error {
	t.Helper()
	s, err := resolvedSchema()
	if err != nil {
		t.Fatal(err)
	}
	dec := yaml.NewDecoder(strings.NewReader(text))
	var doc any
	if err := dec.Decode(&doc); err != nil {
		return err
	}
	data, err := json.Marshal(doc)
	if err != nil {
		return err // such as a key that is not a string
	}
	var instance any
	if err := json.Unmarshal(data, &instance); err != nil {
		return err
	}
	return s.Validate(instance)
}

// schemaCannot says why the schema accepts some of wrongManifests.
var schemaCannot = map[string]string{
	"two documents":                      "an editor validates each document",
	"no path":                            "the defaults may say where an image is",
	"custom tag":                         "a tag is not part of a JSON value",
	"environment":                        "the environment decides",
	"environment empty":                  "the environment decides",
	"arch unknown to the image":          "the value of another key decides, perhaps of defaults",
	"no matrix":                          "another key decides",
	"distilled base without its feature": "another key decides, perhaps of defaults",
	"distilled base without a base":      "another key decides, perhaps of defaults",
	"base_sha256 alone":                  "another key decides, perhaps of defaults",
	"golden without a path":              "another key decides, perhaps of defaults",
	"select without its policy":          "another key decides, perhaps of defaults",
	"nothing selected":                   "another key decides, perhaps of defaults",
	"default of golden that the image's policy excludes": "another key decides, perhaps of defaults",
	"no path in the default of golden":                   "another key decides, perhaps of defaults",
	"golden empty":                                       "an empty value removes a default, and the schema does not know the defaults",
	"two rules for one section":                          "the schema compares only whole values",
	"name taken":                                         "the schema does not compare images",
	"name of the file taken":                             "the schema does not compare images",
	"base unknown":                                       "the schema does not compare images",
	"base of another architecture":                       "the schema does not compare images",
	"base is itself":                                     "the schema does not compare images",
	"bases in a circle":                                  "the schema does not compare images",
	"base of a base":                                     "the schema does not compare images",
	"base that continues a file":                         "the schema does not compare images",
	"malformed glob":                                     "whether a glob is well-formed is not regular",
	"glob with many alternatives":                        "whether a glob is well-formed is not regular",
	"glob that climbs":                                   "whether a glob is well-formed is not regular",
	"glob that climbs in an alternative":                 "whether a glob is well-formed is not regular",
	"section pattern":                                    "whether a glob is well-formed is not regular",
	"exclusion pattern":                                  "whether a glob is well-formed is not regular",
	"feature with a late plus":                           "old validators have no schema for the first element of a list",
	"digest too long":                                    "YAML takes it for a number",
}

// TestSchemaRefuses: each wrong manifest is refused by the schema, too, or there is a reason why it cannot be.
func TestSchemaRefuses(t *testing.T) {
	used := map[string]bool{}
	for _, tt := range wrongManifests() {
		used[tt.name] = true
		err := checkSchema(t, tt.text)
		switch reason, excused := schemaCannot[tt.name]; {
		case err == nil && !excused:
			t.Errorf("%s: the schema accepts it, Parse says: %s\n%s", tt.name, tt.want, tt.text)
		case err != nil && excused:
			t.Errorf("%s: the schema refuses it, although %s: %v", tt.name, reason, err)
		}
	}
	for name := range schemaCannot {
		if !used[name] {
			t.Errorf("schemaCannot has %q, which is no wrong manifest", name)
		}
	}
}

// TestSchemaAccepts: the schema accepts every manifest of this repository that Parse accepts.
func TestSchemaAccepts(t *testing.T) {
	n := 0
	check := func(where, text string) {
		t.Helper()
		if _, err := Parse("m.yaml", []byte(text), testEnv); err != nil {
			return
		}
		n++
		if err := checkSchema(t, text); err != nil {
			t.Errorf("%s: %v\n%s", where, err, text)
		}
	}
	for _, pattern := range []string{"../corpus/*.yaml", "testdata/*.yaml", "../docs/*.md", "../README.md",
		"../cmd/btfbatch/testdata/script/*.txtar"} {
		files, err := filepath.Glob(pattern)
		if err != nil || files == nil {
			t.Fatalf("%s: %v, %v", pattern, files, err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			text := string(data)
			switch filepath.Ext(file) {
			case ".md":
				for _, block := range regexp.MustCompile("(?ms)^ *```yaml[^\n]*\n(.*?)^ *```").FindAllStringSubmatch(text, -1) {
					check(file, block[1])
				}
			case ".txtar":
				for _, part := range regexp.MustCompile(`(?m)^-- .* --\n`).Split(text, -1) {
					check(file, part)
				}
			default:
				check(file, text)
			}
		}
	}
	if n < 30 {
		t.Errorf("got %d manifests, want more", n)
	}
}

// wholeManifest has every key, and lists and mappings in both forms.
const wholeManifest = `version: 1
defaults: {profile: pahole, outputs: {btf: "out/${{ image.name }}.btf"}, lang_exclude: [rust]}
matrix: {arch: [arm64, x86_64], include: [{arch: arm}], exclude: [{arch: arm64}]}
images:
- path: "${{ matrix.arch }}/vmlinux"
  name: "k-${{ matrix.arch }}"
  arch: ${{ matrix.arch }}
  kind: kernel
  release: "6.1*"
  sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
  build_id: 01ab
  profile: default
  features: [default, layout, distilled_base]
  lang_exclude: [rust]
  sections: [{section: .data, exclude: [unnamed], datasec: true, unique: false}]
  sort_by_name: true
  kernel: false
  verify: ["6.1", newest]
  outputs: {btf: a.btf, base: a.base, dump: a.raw, elf: a.elf}
  golden: {path: g.raw, policy: semantic, allow: [size], dialect: bpftool-7.8}
  base_path: base.btf
  base_sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
- {path: w, name: w, golden: {policy: image, allow: {size: ["a*"]}}, base: other, matrix: {x: [1]}, release: "${{ matrix.x }}"}
- {path: other, name: other}
- from: {deb: a.deb, member: "*.ko", sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef}
  name: d-${{ image.file }}
- {from: {rpm: "https://example.org/a.rpm"}, name: r}
- {from: {url: "https://example.org/vmlinux"}, name: u}
- {from: {debuginfod: "0123"}, name: b}
- {from: {apt: {suite: trixie, arch: amd64, package: p, mirror: "http://example.org/debian"}}, name: p}
include: [extra.yaml, "more/*.yaml"]
images_from: [kernels.jsonl, {file: list.json, format: kernel-crawler, where: {target: debian, kernelrelease: ["6.*"]}, template: {path: "${{ row.kernelrelease }}", arch: arm64}}]
`

// oddValues replace the values of wholeManifest one at a time.
var oddValues = []string{"~", "true", "yes", "7", "5.10", `""`, "word", "Rust", `"a b"`, `".hidden"`, `"a/"`, "-", `"https://example.org/x"`,
	`"${{ image.name }}"`, `"${{ image.nam }}"`, `"${{ env.EMPTY }}"`, `"${{ env.KERNELS }}"`, `"$${{"`, `"a,,b"`, "6.8.0-x", "x.tar", "a.gz", "a.ZST", "[]", "[~]",
	"[[]]", "[{}]", "[a, a]", "{}", "{a: b}", "{path: x}", "2024-01-02", "386", "AMD64"}

// oddSchemaCannot lists, as patterns of "path: value: problems", what Parse refuses and the schema accepts, with the reasons.
var oddSchemaCannot = []struct{ pattern, reason string }{
	{`: "\$\{\{ .*\}\}": `, "the value of an expression is not known"},
	{`^\.matrix\.(arch|include|exclude)`, "the values of a matrix have no meaning before they are used"},
	{`^\.images\[1\]\.matrix\.x`, "the values of a matrix have no meaning before they are used"},
	{`^\.images\[\d\](\.from(\.apt)?)?: \{\}: `, "the defaults may complete it"},
	{`^\.images_from\[\d\]\.template: \{\}: `, "the defaults may complete it"},
	{`^\.images_from\[\d\]\.template\.path: "\.hidden": `, "it becomes the name"},
	{`^\.images_from\[\d\]\.template\.\w+: ~: `, "an empty value removes a default, and the schema does not know the defaults"},
	{`debuginfod: [0-9.]+: `, "YAML takes the digits for a number"},
	{`^\.images\[\d\][.\w]*: ~: `, "an empty value removes a default, and the schema does not know the defaults"},
	{`(sha256|build_id): [0-9.]+: `, "YAML takes the digits for a number"},
	{`: golden needs a path`, "the defaults may have it"},
	{`: outputs\.base needs `, "the schema does not compare the keys of an image"},
	{`: the matrix gives several images the name `, "the schema does not expand the matrix"},
	{`: no image uses `, "the schema does not expand the matrix"},
	{`: the image does not use `, "the schema does not expand the matrix"},
	{`: no image is named `, "the schema does not compare images"},
	{`^\.(include|images_from).*(file does not exist|matches no file|is already included|image is named|has no images|where takes none|is no JSON value|one JSON object)`,
		"the schema does not look at files"},
	{`\.verify(\[.\])?: \d+: `, "the last zeros of a number are lost: 7.0 is 7"},
}

// TestSchemaOddValues replaces every value of a whole manifest by odd ones: what Parse accepts, the schema accepts. What Parse refuses because of
// the value itself, the schema refuses.
func TestSchemaOddValues(t *testing.T) {
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(wholeManifest), &root); err != nil {
		t.Fatal(err)
	}
	mustParse(t, wholeManifest)
	accepted, refused, turn := 0, 0, 0
	var missed []string
	var walk func(n *yaml.Node, path string)
	try := func(n *yaml.Node, path string) {
		kept := *n
		for i, odd := range oddValues {
			if turn++; (i+turn/len(oddValues))%2 == 1 { // a half of them for each value
				continue
			}
			var v yaml.Node
			if err := yaml.Unmarshal([]byte(odd), &v); err != nil {
				t.Fatal(err)
			}
			*n = *v.Content[0]
			text, err := yaml.Marshal(&root)
			if err != nil {
				t.Fatal(err)
			}
			_, problem := parse("dir/m.yaml", text, testEnv, testDisk)
			bySchema := checkSchema(t, string(text))
			switch {
			case problem == nil && bySchema != nil:
				t.Errorf("%s: %s: Parse accepts it, the schema does not: %v", path, odd, bySchema)
			case problem != nil && bySchema == nil:
				missed = append(missed, fmt.Sprintf("%s: %s: %s", path, odd, strings.ReplaceAll(problem.Error(), "\n", "; ")))
			case problem == nil:
				accepted++
			default:
				refused++
			}
		}
		*n = kept
	}
	walk = func(n *yaml.Node, path string) {
		switch n.Kind {
		case yaml.MappingNode:
			for i := 0; i < len(n.Content); i += 2 {
				at := path + "." + n.Content[i].Value
				try(n.Content[i+1], at)
				walk(n.Content[i+1], at)
			}
		case yaml.SequenceNode:
			for i, c := range n.Content {
				at := fmt.Sprintf("%s[%d]", path, i)
				try(c, at)
				walk(c, at)
			}
		}
	}
	walk(root.Content[0], "")
	t.Logf("both accept %d, both refuse %d, only Parse refuses %d", accepted, refused, len(missed))
	if accepted < 100 || refused < 500 {
		t.Error("want more manifests on which both agree")
	}
	used := make([]bool, len(oddSchemaCannot))
	for _, m := range missed {
		i := slices.IndexFunc(oddSchemaCannot, func(c struct{ pattern, reason string }) bool { return regexp.MustCompile(c.pattern).MatchString(m) })
		if i < 0 {
			t.Errorf("only Parse refuses %s", m)
			continue
		}
		used[i] = true
	}
	for i, c := range oddSchemaCannot {
		if !used[i] {
			t.Errorf("%s: nothing is excused because %s", c.pattern, c.reason)
		}
	}
}

// TestDocs parses every whole manifest in the documentation and looks for every key.
func TestDocs(t *testing.T) {
	data, err := os.ReadFile("../docs/manifest.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	whole := 0
	for i, block := range strings.Split(text, "```yaml\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		var node yaml.Node
		if err := yaml.Unmarshal([]byte(block), &node); err != nil {
			t.Errorf("block %d: %v\n%s", i, err, block)
		}
		if !strings.Contains(block, "version: 1") {
			continue
		}
		whole++
		if _, err := parse("btfbatch.yaml", []byte(block), testEnv, testDisk); err != nil {
			t.Errorf("block %d: %v\n%s", i, err, block)
		}
	}
	if whole == 0 {
		t.Error("no whole manifest found")
	}
	keys := slices.Concat(namesOf(rootKeys), namesOf(listKeys), listFormats, keyNames(func(*imageKey) bool { return true }), namesOf(outputKeys), namesOf(fromKeys), namesOf(aptKeys), namesOf(goldenKeys), policies, Dialects,
		namesOf(sectionKeys), ArchNames(), slices.Collect(maps.Keys(aliases)), languages, kernel.Words(), feature.Names(), []string{"include", "exclude"})
	for _, key := range keys {
		if !strings.Contains(text, "`"+key+"`") {
			t.Errorf("`%s` is not explained", key)
		}
	}
}
