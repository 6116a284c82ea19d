package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sebdah/goldie/v2"
)

// image wraps the lines of one image, which then start at 3:5.
func image(lines string) string {
	return "version: 1\nimages:\n  - path: v\n    " + strings.ReplaceAll(lines, "\n", "\n    ") + "\n"
}

// A wrong manifest has problems, one per line of want. TestSchemaRefuses holds the schema to the same manifests.
type wrong struct{ name, text, want string }

func wrongManifests() []wrong {
	return []wrong{
		// The text as a whole.
		{"empty", "", "1:1: manifest is empty; it must have version and images (btfbatch init writes one)"},
		{"comment only", "# nothing\n", "1:1: manifest is empty; it must have version and images (btfbatch init writes one)"},
		{"scalar", "hello", "1:1: a manifest must be a mapping with version and images, not a string"},
		{"two documents", "version: 1\nimages: [{path: v}]\n---\na: 1\n", "4:1: second YAML document; a manifest has only one"},
		{"syntax", "version: 1\nimages: a: b\n", "2:1: mapping values are not allowed in this context"},
		{"tab", "version: 1\nimages:\n\t- path: v\n", "3:1: a tab indents the line: YAML is indented with blanks"},
		{"zero byte", "version: 1\nimages:\n- path: \u00e9\x00v\n", "3:10: zero byte; a manifest must be text"},
		{"no UTF-8", "version: 1\r\n# \xff\n", "2:3: byte 0xff is not valid UTF-8"},
		{"UTF-16", "\xff\xfev\x00:\x00 \x001\x00", "1:1: the text is UTF-16, not UTF-8: save it as UTF-8"},
		{"UTF-16, big-endian", "\xfe\xff\x00v\x00:\x00 \x001", "1:1: the text is UTF-16, not UTF-8: save it as UTF-8"},
		{"cut UTF-8", "version: 1\nimages: [{path: v}] # \xc3", "2:23: byte 0xc3 is not valid UTF-8"},
		{"control character", "version: 1\u2028images: [\u001b]", "2:10: control character U+001B; write it as an escape in double quotes"},
		{"replacement character", "version: 1\nimages: [{path: \"\ufffd\"}]\nx: 1\n",
			"2:17: images[0].name: name \"\ufffd\" is not valid UTF-8\n3:1: unknown key \"x\" in the manifest"},
		{"empty words", image("verify: [\" \", newest]\nlang_exclude: \"rust,,c\"\nfeatures: \",\""),
			"4:14: images[0].verify[0]: list has an empty element\n5:24: images[0].lang_exclude: list has an empty element\n" +
				"6:15: images[0].features: list has an empty element"},
		{"unquoted glob", image("sections: [{section: .data, exclude: [*foo]}]"),
			`4:43: unknown anchor 'foo' referenced (did you mean "*foo" in quotes?)`},
		{"expression in braces", image("outputs: {btf: ${{ image.name }}}"),
			"4:5: did not find expected ',' or '}' (did you mean to quote a value with ${{ }} inside { } or [ ]?)"},
		{"alias in itself", "version: 1\nimages: &a [*a]\n", "2:13: images[0]: alias *a is inside its own anchor"},
		{"duplicate key", image("arch: arm64\narch: arm"), `5:5: images[0]: key "arch" is given twice, first at 4:5`},
		{"duplicate key below a strange one", "version: 1\nimages: [{path: v}]\n\"a\\nb\": {k: 1, k: 2}\n",
			"3:1: unknown key \"a\\nb\" in the manifest\n3:16: \"a\\nb\": key \"k\" is given twice, first at 3:10"},
		{"two merge keys", "version: 1\nx: &x {arch: arm}\nimages: [{path: v, <<: *x, <<: *x}]\n",
			"2:1: unknown key \"x\" in the manifest\n3:28: images[0]: second merge key; merge several anchors with a list, <<: [*a, *b]"},
		{"merge of a scalar", image("<<: 1"), "4:9: images[0]: merge key needs a mapping or a list of mappings, not a number"},
		{"merge of a list of scalars", image("<<: [1]"), "4:10: images[0][0]: merge key needs mappings, not a number"},
		{"key that is a list", "version: 1\n? [a]\n: b\nimages: [{path: v}]\n", "2:3: a key must be a plain word"},
		{"custom tag", image("golden: !secret x"), "4:13: images[0].golden: must be a string, not tagged \"!secret\""},

		// Goldens.
		{"golden without a path", image("golden: {policy: semantic}"), "4:13: images[0].golden: golden needs a path, except with policy: image"},
		{"golden with a wrong key", image("golden: {pth: g}"), "4:13: images[0].golden: golden needs a path, except with policy: image\n" +
			"4:14: images[0].golden: unknown key \"pth\" in golden (did you mean \"path\"?)"},
		{"wrong policy", image("golden: {path: g, policy: sematnic}"),
			"4:31: images[0].golden.policy: unknown policy \"sematnic\"; use exact, semantic, selected, digest, image (did you mean \"semantic\"?)"},
		{"select without its policy", image("golden: {path: g, select: [a]}"),
			"4:23: images[0].golden.select: only policy selected has select"},
		{"nothing selected", image("golden: {path: g, policy: selected}"),
			"4:13: images[0].golden: policy selected needs select: the names of declarations, such as [.data..percpu, struct:task_struct]"},
		{"wrong selection", image("golden: {path: g, policy: selected, select: [\"struct:\", \"[\"], dialect: bpftool-7.8}"),
			"4:50: images[0].golden.select[0]: pattern \"struct:\" has no name\n" +
				"4:61: images[0].golden.select[1]: pattern \"[\" is malformed\n" +
				"4:67: images[0].golden.dialect: policy selected has a text of its own, so it has no dialect"},
		{"path of the own BTF", image("golden: {policy: image, path: g}"),
			"4:29: images[0].golden.path: policy image has no path: it compares with the section .BTF of the image"},
		{"wrong rules", image("golden: {path: g, allow: [member-aded, size, size]}"),
			"4:31: images[0].golden.allow[0]: unknown rule \"member-aded\" (did you mean \"member-added\"?)\n" +
				"4:50: images[0].golden.allow[2]: rule \"size\" is listed twice"},
		{"wrong names of rules", image("golden: {path: g, allow: {size: [], sice: a, order: \"[\"}}"),
			"4:37: images[0].golden.allow.size: list is empty; write * to allow the rule for all names\n" +
				"4:41: images[0].golden.allow.sice: unknown rule \"sice\" (did you mean \"size\"?)\n" +
				"4:58: images[0].golden.allow.order: glob \"[\" is malformed"},
		{"nothing allowed", image("golden: {path: g, allow: {}}"), "4:30: images[0].golden.allow: list is empty"},
		{"allowed digests", image("golden: {path: g, policy: digest, allow: size, dialect: bpftool-7.8}"),
			"4:39: images[0].golden.allow: policy digest knows no differences, so there is nothing to allow\n" +
				"4:52: images[0].golden.dialect: policy digest has no text, so it has no dialect"},
		{"wrong dialect", image("golden: {path: g, dialect: bpftool-7.9}"),
			"4:32: images[0].golden.dialect: unknown dialect \"bpftool-7.9\"; known are bpftool-7.8 (did you mean \"bpftool-7.8\"?)"},

		// The manifest's keys.
		{"no version", "images: [{path: v}]\n", "1:1: version is missing; write version: 1"},
		{"next version", "version: 2\nnothing: else\n", "1:10: version: unknown version 2; this program supports version 1"},
		{"version as a string", "version: \"1\"\nimages: [{path: v}]\n", "1:10: version: version must be the number 1, not a string"},
		{"no images", "version: 1\n", "1:1: images is missing"},
		{"images empty", "version: 1\nimages: []\n", "2:9: images: images is empty"},
		{"images no list", "version: 1\nimages: {a: b}\n", "2:9: images: images must be a list, not a mapping"},
		{"image no mapping", "version: 1\nimages: [a]\n", "2:10: images[0]: an image must be a mapping with path or from, not a string"},
		{"unknown root key", "version: 1\nimage: []\nimages: [{path: v}]\n",
			`2:1: unknown key "image" in the manifest (did you mean "images"?)`},
		{"defaults no mapping", "version: 1\ndefaults: [a]\nimages: [{path: v}]\n", "2:11: defaults: defaults must be a mapping, not a list"},
		{"default that is an image's", "version: 1\ndefaults: {base: g}\nimages: [{path: v}]\n",
			"2:12: defaults.base: base is specific to one image and is not allowed in defaults"},
		{"default of golden with a wrong policy", "version: 1\ndefaults: {golden: {policy: exakt, allow: []}}\nimages: [{path: v, golden: g}]\n",
			"2:29: defaults.golden.policy: unknown policy \"exakt\"; use exact, semantic, selected, digest, image (did you mean \"exact\"?)\n" +
				"2:43: defaults.golden.allow: list is empty"},
		{"default of golden that the image's policy excludes", "version: 1\ndefaults: {golden: {policy: digest}}\nimages: [{path: v, golden: {path: g, allow: size}}]\n",
			"3:38: images[0].golden.allow: policy digest knows no differences, so there is nothing to allow"},
		{"no path in the default of golden", "version: 1\ndefaults: {golden: {policy: semantic}}\nimages: [{path: v, golden: {allow: size}}]\n",
			"3:28: images[0].golden: golden needs a path, except with policy: image"},
		{"unknown default", "version: 1\ndefaults: {profil: pahole}\nimages: [{path: v}]\n",
			`2:12: defaults: unknown key "profil" in defaults (did you mean "profile"?)`},
		{"default that every image overrides", "version: 1\ndefaults: {profile: x}\nimages: [{path: v, profile: pahole}]\n",
			`2:21: defaults.profile: unknown profile "x"; use default or pahole`},
		{"default that two images use", "version: 1\ndefaults: {arch: arm6}\nimages: [{path: v}, {path: w}]\n",
			`2:18: defaults.arch: unknown architecture "arm6" (did you mean "arm64"?)`},

		// The image's keys.
		{"no path", "version: 1\nimages:\n  - name: a\n", "3:5: images[0]: path is missing; an image needs path, or from"},
		{"unknown key", image("fetures: [var]"), `4:5: images[0]: unknown key "fetures" in an image (did you mean "features"?)`},
		{"key by another word", image("embed: x"), `4:5: images[0]: unknown key "embed" in an image (did you mean "outputs"?)`},
		{"key like nothing", image("colour: x"), `4:5: images[0]: unknown key "colour" in an image`},
		{"name a list", image("name: [a]"), "4:11: images[0].name: must be a string, not a list"},
		{"name a boolean", image("name: true"), "4:11: images[0].name: must be a string, not a boolean"},
		{"golden empty", image("golden:"), "4:12: images[0].golden: must be a string, not empty"},
		{"golden of no length", image(`golden: ""`), "4:13: images[0].golden: is empty"},
		{"golden with a zero byte", image(`golden: "a\0"`), "4:13: images[0].golden: path contains a zero byte"},
		{"output a folder", image("outputs: {btf: out/}"), `4:20: images[0].outputs.btf: path "out/" is a folder, not a file`},
		{"outputs a string", image("outputs: x"), "4:14: images[0].outputs: outputs must be a mapping with btf, base, dump, elf, json, c, archive, not a string"},
		{"distilled base without its feature", image("base_path: b\noutputs: {base: x}"),
			"5:21: images[0].outputs.base: outputs.base needs the feature distilled_base"},
		{"distilled base without a base", image("features: +distilled_base\noutputs: {base: x}"),
			"5:21: images[0].outputs.base: outputs.base needs base or base_path"},
		{"unknown output", image("outputs: {bft: x}"), `4:15: images[0].outputs: unknown key "bft" in outputs (did you mean "btf"?)`},
		{"name with a blank", image("name: a b"), `4:11: images[0].name: name "a b" contains the character ' ', which is not allowed`},
		{"name that climbs", image("name: a/../b"), `4:11: images[0].name: name "a/../b" has an empty part or one that starts with a dot`},
		{"name too long", image("name: " + strings.Repeat("n", 256)), "4:11: images[0].name: name is longer than 255 bytes"},
		{"arch", image("arch: x86-65"), `4:11: images[0].arch: unknown architecture "x86-65" (did you mean "x86_64"?)`},
		{"profile", image("profile: pahol"), `4:14: images[0].profile: unknown profile "pahol"; use default or pahole (did you mean "pahole"?)`},
		{"feature in a list", image("features: [default, glob_var]"),
			`4:25: images[0].features[1]: unknown feature "glob_var" (did you mean "global_var"?)`},
		{"feature in a string", image("features: global_var,vra"), `4:26: images[0].features: unknown feature "vra" (did you mean "var"?)`},
		{"feature with a late plus", image("features: [default, +layout]"),
			`4:25: images[0].features[1]: feature "+layout": + is only allowed before the whole list (did you mean "layout"?)`},
		{"features a mapping", image("features: {var: true}"), "4:15: images[0].features: must be a list of strings, not a mapping"},
		{"language", image("lang_exclude: [rsut]"), `4:20: images[0].lang_exclude[0]: unknown language "rsut" (did you mean "rust"?)`},
		{"generation", image("verify: [6.l, latest, 4.18, 6.1.2, 6.8]"),
			"4:14: images[0].verify[0]: kernel \"6.l\" is not known; there are 5.10, 6.1, 6.12, 6.18, 7.2, newest, and releases such as 6.8 or 5.10.0-28-amd64 (did you mean \"6.1\"?)\n" +
				"4:19: images[0].verify[1]: kernel \"latest\" is not known; there are 5.10, 6.1, 6.12, 6.18, 7.2, newest, and releases such as 6.8 or 5.10.0-28-amd64\n" +
				"4:27: images[0].verify[2]: kernel \"4.18\" is older than the oldest generation that is known; there are 5.10, 6.1, 6.12, 6.18, 7.2, newest, and releases such as 6.8 or 5.10.0-28-amd64 (did you mean \"6.18\"?)"},
		{"sorting", image("sort_by_name: bisect"), `4:19: images[0].sort_by_name: must be true or false, not "bisect"`},
		{"sorting by another word", image("sort: true"), `4:5: images[0]: unknown key "sort" in an image (did you mean "sort_by_name"?)`},
		{"generation twice", image("verify: [6.1, 6.1]"), "4:19: images[0].verify[1]: kernel 6.1 is listed twice"},
		{"digest too short", image("sha256: abcd"), "4:13: images[0].sha256: has 4 hexadecimal digits, not 64"},
		{"digest not hexadecimal", image("build_id: xyz"), `4:15: images[0].build_id: "xyz" is not an even number of hexadecimal digits`},
		{"digest with the wrong prefix", image("build_id: sha256:ab"), `4:15: images[0].build_id: "sha256:ab" is not an even number of hexadecimal digits`},
		{"digest too long", image("build_id: " + strings.Repeat("0", 130)), "4:15: images[0].build_id: has 130 hexadecimal digits; at most 128 are allowed"},
		{"malformed glob", "version: 1\nimages: [{path: \"a/[b\"}]\n", `2:17: images[0].path: glob "a/[b" is malformed`},
		{"glob with many alternatives", "version: 1\nimages: [{path: \"" + strings.Repeat("{a,b}", 10) + "\"}]\n",
			`2:17: images[0].path: glob "` + strings.Repeat("{a,b}", 10) + `" has alternatives for more than 1000 patterns`},
		{"glob that climbs in an alternative", "version: 1\nimages: [{path: \"k/{a,../b}/*\"}]\n",
			`2:17: images[0].path: glob "k/{a,../b}/*" has ".." after its first wildcard`},
		{"glob that climbs", "version: 1\nimages: [{path: \"*/../b\"}]\n",
			`2:17: images[0].path: glob "*/../b" has ".." after its first wildcard`},

		// Section rules.
		{"sections a mapping", image("sections: {section: .data}"), "4:15: images[0].sections: sections must be a list of rules, not a mapping"},
		{"rule a string", image("sections: [.data]"), "4:16: images[0].sections[0]: a rule must be a mapping with a section, not a string"},
		{"rule without section", image("sections: [{unique: true}]"), "4:16: images[0].sections[0]: section is missing"},
		{"rule with an unknown key", image("sections: [{section: .a, exlude: []}]"),
			`4:30: images[0].sections[0]: unknown key "exlude" in a section rule (did you mean "exclude"?)`},
		{"section pattern", image(`sections: [{section: ".data[" }]`), `4:26: images[0].sections[0].section: glob ".data[" is malformed`},
		{"two rules for one section", image("sections: [{section: .a}, {section: .a}]"),
			`4:31: images[0].sections[1]: second rule for section ".a", the first is at 4:16`},
		{"exclusion misspelt", image("sections: [{section: .a, exclude: [zero-adress]}]"),
			`4:40: images[0].sections[0].exclude[0]: unknown exclusion "zero-adress"; known are zero-address, non-allocated, unnamed and patterns of symbol names (did you mean "zero-address"?)`},
		{"exclusion no symbol", image("sections: [{section: .a, exclude: [not-there]}]"),
			`4:40: images[0].sections[0].exclude[0]: unknown exclusion "not-there"; known are zero-address, non-allocated, unnamed and patterns of symbol names`},
		{"exclusion pattern", image(`sections: [{section: .a, exclude: ["a[z-]*"]}]`), `4:40: images[0].sections[0].exclude[0]: glob "a[z-]*" is malformed`},
		{"datasec", image("sections: [{section: .a, datasec: yes}]"),
			`4:39: images[0].sections[0].datasec: must be true or false, not "yes"`},
		{"unique", image("sections: [{section: .a, unique: 1}]"), "4:38: images[0].sections[0].unique: must be true or false, not a number"},

		// Expressions.
		{"unknown expression", image(`golden: a-${{ matrx.arch }}`),
			`4:15: images[0].golden: unknown expression "matrx.arch"; known are matrix.NAME, env.NAME, row.NAME, image.name, image.file, image.arch, image.release, image.package, image.version (did you mean "matrix.arch"?)`},
		{"unknown image expression", image(`golden: é${{image.nam}}`),
			`4:14: images[0].golden: unknown expression "image.nam"; known are matrix.NAME, env.NAME, row.NAME, image.name, image.file, image.arch, image.release, image.package, image.version (did you mean "image.name"?)`},
		{"operator", image(`golden: ${{ 1 + 1 }}`),
			`4:13: images[0].golden: unknown expression "1 + 1"; known are matrix.NAME, env.NAME, row.NAME, image.name, image.file, image.arch, image.release, image.package, image.version`},
		{"open expression", image(`golden: g-${{ image.name`), "4:15: images[0].golden: expression has no closing }}"},
		{"environment", image(`golden: ${{ env.NOT_SET }}`), "4:13: images[0].golden: environment variable NOT_SET is not set"},
		{"environment empty", image(`golden: ${{ env.EMPTY }}`), "4:13: images[0].golden: is empty"},
		{"arch unknown to the image", image(`golden: ${{ image.arch }}`), "4:13: images[0].golden: image.arch is used but the image has no arch"},
		{"arch that is wrong itself", image("arch: x\ngolden: ${{ image.arch }}"), `4:11: images[0].arch: unknown architecture "x"`},
		{"name inside the path", "version: 1\nimages: [{path: \"${{ image.name }}/v\"}]\n",
			"2:18: images[0].path: image.name cannot be used here"},
		{"no matrix", image("golden: ${{ matrix.arch }}"), "4:13: images[0].golden: matrix.arch is used but there is no matrix"},

		// Images against each other.
		{"name taken", "version: 1\nimages:\n- {path: a, name: x}\n- {path: b, name: x}\n",
			`4:19: images[1].name: name "x" is already used by the image at line 3`},
		{"name of the file taken", "version: 1\nimages:\n- path: a/vmlinux\n- path: b/vmlinux\n",
			`4:9: images[1].name: name "vmlinux" is already used by the image at line 3`},
		{"base unknown", "version: 1\nimages:\n- path: vmlinux\n- {path: a.ko, base: vmlinx}\n",
			`4:22: images[1].base: no image is named "vmlinx" (did you mean "vmlinux"?)`},
		{"base of another architecture", "version: 1\nimages:\n- {path: a, arch: arm}\n- {path: b, arch: arm64, base: a}\n",
			`4:32: images[1].base: base "a" is arm, the image is arm64`},
		{"base is itself", image("base: v"), "4:11: images[0].base: bases form a cycle: v → v"},
		{"bases in a circle", "version: 1\nimages:\n- {path: x, base: a}\n- {path: a, base: b}\n- {path: b, base: c}\n- {path: c, base: a}\n",
			"3:19: images[0].base: bases form a cycle: a → b → c → a"},
		{"base of a base", "version: 1\nimages:\n- {path: a, base: b}\n- {path: b, base: c}\n- {path: c}\n",
			`3:19: images[0].base: base "b" has a base itself, "c"; a base cannot be split BTF`},
		{"base that continues a file", "version: 1\nimages:\n- {path: a, base: b}\n- {path: b, base_path: c}\n",
			`3:19: images[0].base: base "b" has a base itself, "c"; a base cannot be split BTF`},
		{"base and base_path", image("base: a\nbase_path: b"), "4:5: images[0].base: base and base_path cannot be used together"},
		{"base_sha256 alone", image("base_sha256: " + strings.Repeat("ab", 32)),
			"4:5: images[0].base_sha256: base_sha256 needs base_path; to pin an image that is a base, set its sha256"},
	}
}

func TestProblems(t *testing.T) {
	for _, tt := range wrongManifests() {
		t.Run(tt.name, func(t *testing.T) {
			if got := strings.Join(problemsOf(t, tt.text), "\n"); got != tt.want {
				t.Errorf("got  %s\nwant %s\n%s", got, tt.want, tt.text)
			}
		})
	}
}

// TestReports compares the whole report of manifests with many problems.
func TestReports(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	g := goldie.New(t, goldie.WithFixtureDir("testdata"), goldie.WithNameSuffix(".report"))
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, err = Parse(filepath.Base(file), data, testEnv)
			if err == nil {
				t.Fatal("no problem found")
			}
			g.Assert(t, strings.TrimSuffix(filepath.Base(file), ".yaml"), []byte(err.Error()+"\n"))
		})
	}
}

func TestNearest(t *testing.T) {
	known := []string{"name", "path", "arch", "features", "base_path"}
	for _, tt := range []struct{ word, want string }{
		{"nam", `"name"`}, {"Name", `"name"`}, {"paht", `"path"`}, {"featurs", `"features"`}, {"basepath", `"base_path"`},
		{"x", ""}, {"pat", `"path"`}, {"pas", ""}, {"nqn", ""}, {"nqne", `"name"`}, {"colour", ""}, {"", ""}, {strings.Repeat("name", 100), ""},
	} {
		if got := nearest(tt.word, known); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.word, got, tt.want)
		}
	}
}

// One mistake in very many images is not a list without end.
func TestProblemsAreBounded(t *testing.T) {
	text := "version: 1\nimages:\n" + strings.Repeat("- {path: v, arch: x}\n", 3000)
	_, err := Parse("m.yaml", []byte(text), nil)
	var ps *Problems
	if !errors.As(err, &ps) || len(ps.List) != maxProblems || ps.More != 3000-maxProblems {
		t.Fatalf("got %d problems and %d more, want %d and %d", len(ps.List), ps.More, maxProblems, 3000-maxProblems)
	}
	lines := strings.Split(err.Error(), "\n")
	if got, want := lines[len(lines)-1], "and 2900 more"; len(lines) != maxProblems+1 || got != want {
		t.Errorf("got %d lines, the last %q, want %d and %q", len(lines), got, maxProblems+1, want)
	}
}
