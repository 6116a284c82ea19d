package config

import (
	"strings"
	"testing"
)

func parseImages(t *testing.T, text string) []Image {
	t.Helper()
	m, err := Parse("dir/m.yaml", []byte("version: 1\n"+text), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	return m.Images
}

// TestFrom: every kind of source, with a matrix and defaults, becomes what it says.
func TestFrom(t *testing.T) {
	const sum = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	for _, tt := range []struct {
		name, text string
		want       []From
	}{
		{"deb", "images: [{from: {deb: a.deb}}]", []From{{Kind: "deb", Where: "dir/a.deb"}}},
		{"absolute, pinned", "images: [{from: {rpm: /p/a.rpm, sha256: " + sum + "}}]", []From{{Kind: "rpm", Where: "/p/a.rpm", SHA256: sum, absolute: true}}},
		{"URL of a package", "images: [{from: {deb: 'https://example.org/a.deb', member: '*.ko'}}]",
			[]From{{Kind: "deb", Where: "https://example.org/a.deb", Member: "*.ko"}}},
		{"URL", "images: [{from: {url: 'https://example.org/vmlinux.xz'}}]", []From{{Kind: "url", Where: "https://example.org/vmlinux.xz"}}},
		{"build id", "images: [{from: {debuginfod: ABCD12}}]", []From{{Kind: "debuginfod", Where: "abcd12"}}},
		{"apt", "images: [{from: {apt: {suite: trixie, arch: amd64, package: linux-image-amd64-dbg, mirror: 'http://deb.debian.org/debian'}}}]",
			[]From{{Kind: "apt", Apt: Apt{"trixie", "amd64", "linux-image-amd64-dbg", "http://deb.debian.org/debian"}}}},
		{"matrix", "matrix: {v: [1, 2]}\nimages: [{name: 'a${{ matrix.v }}', from: {deb: 'p${{ matrix.v }}.deb'}}]",
			[]From{{Kind: "deb", Where: "dir/p1.deb"}, {Kind: "deb", Where: "dir/p2.deb"}}},
		{"matrix in apt", "matrix: {a: [amd64, arm64]}\nimages: [{name: '${{ matrix.a }}', from: {apt: {suite: sid, arch: '${{ matrix.a }}', package: p}}}]",
			[]From{{Kind: "apt", Apt: Apt{"sid", "amd64", "p", ""}}, {Kind: "apt", Apt: Apt{"sid", "arm64", "p", ""}}}},
		{"defaults", "defaults: {from: {deb: a.deb}}\nimages: [{name: a}, {name: b, from: {member: '*.ko'}}]",
			[]From{{Kind: "deb", Where: "dir/a.deb"}, {Kind: "deb", Where: "dir/a.deb", Member: "*.ko"}}},
		{"own source", "defaults: {from: {deb: a.deb, member: x, sha256: " + sum + "}}\nimages: [{name: a, from: {rpm: b.rpm}}]",
			[]From{{Kind: "rpm", Where: "dir/b.rpm"}}},
		{"apt completed", "defaults: {from: {apt: {suite: sid, arch: amd64}}}\nimages: [{name: a, from: {apt: {package: p}}}]",
			[]From{{Kind: "apt", Apt: Apt{"sid", "amd64", "p", ""}}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			images := parseImages(t, tt.text)
			if len(images) != len(tt.want) {
				t.Fatalf("got %d images, want %d", len(images), len(tt.want))
			}
			for i, im := range images {
				if im.From == nil || *im.From != tt.want[i] || im.Path != "" {
					t.Errorf("image %d: got %+v, want %+v", i, im.From, tt.want[i])
				}
			}
		})
	}
	if im := parseImages(t, "defaults: {from: {deb: a.deb}}\nimages: [{path: a}]")[0]; im.From != nil || im.Path != "dir/a" {
		t.Errorf("path and default from: got %+v", im)
	}
}

func TestFromErrors(t *testing.T) {
	for text, want := range map[string]string{
		"images: [{from: a.deb}]":                                     "m.yaml:2:17: images[0].from: from must be a mapping with one of deb, rpm, url, apt, debuginfod, not a string",
		"images: [{from: {member: a}}]":                               "m.yaml:2:17: images[0].from: from needs one of deb",
		"images: [{from: {deb: a, rpm: b}}]":                          "m.yaml:2:26: images[0].from.rpm: from has both deb and rpm",
		"images: [{from: {debb: a}}]":                                 `m.yaml:2:18: images[0].from: unknown key "debb" in from (did you mean "deb"?)`,
		"images: [{path: a, from: {deb: a}}]":                         "m.yaml:2:20: images[0].from: path and from cannot be used together",
		"images: [{from: {deb: a}, sha256: aa}]":                      "sha256 is that of path; to pin what from names, write sha256 inside from",
		"images: [{from: {deb: a}, outputs: {elf: x}}]":               "m.yaml:2:42: images[0].outputs.elf: outputs.elf is a copy of the image at path",
		"images: [{from: {deb: a*.deb}}]":                             `m.yaml:2:23: images[0].from.deb: deb "a*.deb" has a wildcard`,
		"images: [{from: {deb: 'ftp://example.org/a.deb'}}]":          `"ftp://example.org/a.deb" is not an http or https URL`,
		"images: [{from: {deb: 'https://h/a b.deb'}}]":                `"https://h/a b.deb" is not an http or https URL`,
		"images: [{from: {url: a.xz}}]":                               `"a.xz" is not an http or https URL`,
		"images: [{from: {url: 'https://h/a', member: b}}]":           "m.yaml:2:38: images[0].from.member: url names an image and not a package",
		"images: [{from: {deb: a, member: '['}}]":                     `m.yaml:2:34: images[0].from.member: glob "[" is malformed`,
		"images: [{from: {deb: a, member: /usr/a}}]":                  `starts with a slash; paths in a package are relative to its root (did you mean "usr/a"?)`,
		"images: [{from: {debuginfod: xyz}}]":                         "is not an even number of hexadecimal digits",
		"images: [{from: {apt: {suite: sid, arch: amd64}}}]":          "apt needs suite, arch and package; package is missing",
		"images: [{from: {apt: {suite: sid, arch: a, package: -x}}}]": `"-x" is not the name of a package`,
		"images: [{from: {apt: linux}}]":                              "apt must be a mapping with suite, arch and package, not a string",
		"images: [{from: {deb: a, sha256: 12}}]":                      "has 2 hexadecimal digits, not 64",
		"images: [{path: a, name: 'x${{ image.version }}'}]":          "image.version is used but the image is not in a package",
		"images: [{name: a}]":                                         "m.yaml:2:10: images[0]: path is missing; an image needs path, or from",
		"images: [{name: a, from: {deb: 'a${{ matrix.x }}'}}]":        "m.yaml:2:34: images[0].from.deb: matrix.x is used but there is no matrix",
	} {
		_, err := Parse("dir/m.yaml", []byte("version: 1\n"+text+"\n"), nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}

// TestFacts: what a package and a kernel say about themselves completes the image, unless it cannot be part of a path.
func TestFacts(t *testing.T) {
	im := parseImages(t, `images:
  - name: ${{ image.release }}/${{ image.file }}
    from: {deb: a.deb, member: "**/*.ko*"}
    base: vmlinux-${{ image.release }}
    outputs: {btf: "out/${{ image.package }}_${{ image.version }}/${{ image.name }}.btf"}
  - {name: "vmlinux-${{ image.release }}", from: {deb: a.deb}}
`)
	if !im[0].NeedsRelease() || im[0].Label() != "*/**/*.ko*" || im[1].Label() != "vmlinux-*" {
		t.Errorf("got %q and %q", im[0].Label(), im[1].Label())
	}
	facts := Facts{"usr/lib/debug/lib/modules/6.1/kernel/fs/ext4.ko.debug", "6.1.0-18-amd64", "linux-dbg", "1:6.1.76-1~bpo11+1"}
	got, err := im[0].Fill(facts)
	if err != nil || got.Name != "6.1.0-18-amd64/ext4" || got.Base != "vmlinux-6.1.0-18-amd64" ||
		got.Outputs.BTF != "dir/out/linux-dbg_1:6.1.76-1~bpo11+1/6.1.0-18-amd64/ext4.btf" || got.From.Member != facts.File || im[0].From.Member == facts.File {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, bad := range []string{"", "../..", "a/b", ".hidden", "a b", "a\nb"} {
		facts.Release = bad
		if _, err := im[0].Fill(facts); err == nil || !strings.Contains(err.Error(), "image.release") {
			t.Errorf("release %q: got %v", bad, err)
		}
	}
	for file, want := range map[string]string{"a/ext4.ko.debug": "ext4", "ext4.ko.xz": "ext4", "ext4.ko": "ext4", "boot/vmlinux-6.1.0-18-amd64": "vmlinux-6.1.0-18-amd64",
		"vmlinux.debug": "vmlinux", "x/vmlinux": "vmlinux", "snd-hda.ko.zst": "snd-hda"} {
		if got := memberStem(file); got != want {
			t.Errorf("%s: got %s, want %s", file, got, want)
		}
	}
}
