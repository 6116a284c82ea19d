package draft

import (
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/config"
)

// SchemaURL is where editors find the schema of manifests.
const SchemaURL = "https://raw.githubusercontent.com/btfbatch/btfbatch/main/config/manifest.schema.json"

// Text returns the manifest. name is its file name, for the comments.
func (d *Draft) Text(name string) string {
	var b strings.Builder
	trees, left := d.trees()
	anyGolden := slices.ContainsFunc(d.images, func(im image) bool { return im.golden != "" })
	fmt.Fprintf(&b, "# yaml-language-server: $schema=%s\n", SchemaURL)
	fmt.Fprintf(&b, `#
# Made by btfbatch init. Paths are relative to this file.
#
#   btfbatch validate %[1]s   # check this file and the images
#   btfbatch run %[1]s        # encode them
version: 1

defaults:
  outputs:
    btf: out/${{ image.name }}.btf      # raw BTF
    # dump: out/${{ image.name }}.raw   # as text, for reading and as a golden
    # elf: out/${{ image.name }}.elf    # a copy of the image that contains the BTF
`, name)
	if anyGolden {
		b.WriteString("  profile: pahole         # goldens made with pahole; without it, btfbatch's own rules apply\n")
	} else {
		b.WriteString("  # profile: pahole       # the same bytes as pahole 1.32; otherwise btfbatch's own rules\n")
	}
	b.WriteString(`  lang_exclude: [rust]    # as kernel builds do
  # verify: ["6.1", newest] # the kernels that must accept the BTF; by default the newest that is known

images:
`)
	for _, im := range left {
		im.write(&b)
	}
	for i, t := range trees {
		t.write(&b, len(trees) > 1, i)
	}
	return b.String()
}

func (im *image) write(b *strings.Builder) {
	b.WriteString("  - ")
	pair := func(key, value string) { fmt.Fprintf(b, "%s: %s\n    ", key, value) }
	pair("name", scalar(im.name))
	if im.pkg != "" {
		pair("from", fmt.Sprintf("{%s: %s}", im.pkg, scalar(im.rel)))
	} else {
		pair("path", scalar(im.rel))
	}
	im.identity(pair)
	if im.golden != "" {
		pair("golden", scalar(im.golden))
	}
	if im.kind == config.Module {
		base(im, pair)
	}
	trim(b)
	if im.pkg != "" && im.kind == config.Kernel {
		im.writeModules(b)
	}
}

// writeModules writes, as a comment, the image of the modules that are in the package of a kernel. They are not counted, which would decompress
// all of the package.
func (im *image) writeModules(b *strings.Builder) {
	b.WriteString("  # All modules of this package:\n")
	fmt.Fprintf(b, "  # - name: %s\n", scalar(im.name+"-modules/${{ image.file }}"))
	fmt.Fprintf(b, "  #   from: {%s: %s, member: \"usr/lib/debug/**/*.ko*\"}\n", im.pkg, scalar(im.rel))
	fmt.Fprintf(b, "  #   base: %s\n", scalar(im.name))
}

// identity writes what the image says about itself.
func (im *image) identity(pair func(key, value string)) {
	if im.arch != "" {
		pair("arch", im.arch)
	}
	kind := im.kind
	if kind == "" {
		kind = config.AnyKind + "              # neither a kernel nor a module by its own words"
	}
	pair("kind", string(kind))
	if im.release != "" {
		pair("release", scalar(im.release))
	}
}

// base writes the base of modules.
func base(im *image, pair func(key, value string)) {
	if im.base != "" {
		pair("base", scalar(im.base)+"   # split BTF: only the types that this kernel lacks")
		return
	}
	pair("# base_path", "vmlinux.btf   # the BTF of the kernel that it is for; without it, the BTF is not split and no kernel loads it")
}

func (t *tree) write(b *strings.Builder, several bool, i int) {
	fmt.Fprintf(b, "  # %d modules\n  - ", t.count)
	pair := func(key, value string) { fmt.Fprintf(b, "%s: %s\n    ", key, value) }
	name := "${{ image.file }}"
	switch {
	case t.first.base != "":
		name = t.first.base + "-modules/" + name
	case several:
		name = fmt.Sprintf("modules-%d/%s", i+1, name)
	default:
		name = path.Join("modules", name)
	}
	pair("name", scalar(name))
	pair("path", scalar(t.glob))
	t.first.identity(pair)
	base(t.first, pair)
	trim(b)
}

// trim removes the indentation after the last pair.
func trim(b *strings.Builder) {
	text := strings.TrimRight(b.String(), " ")
	b.Reset()
	b.WriteString(text)
}

// plain matches texts that YAML takes as they are.
var plain = regexp.MustCompile(`^(?:(?:[A-Za-z0-9_/]|\.\./)[A-Za-z0-9_./+-]*|\$\{\{ image\.file \}\}|[A-Za-z0-9_/][A-Za-z0-9_./+-]*\$\{\{ image\.file \}\})$`)

// scalar writes a text as a YAML value.
func scalar(text string) string {
	if plain.MatchString(text) && text != "true" && text != "false" && text != "null" && !strings.HasPrefix(text, "0x") {
		return text
	}
	quoted, err := json.Marshal(text) // a JSON string is a YAML string
	if err != nil {
		panic(fmt.Sprint("draft: ", err)) // a string always has a JSON form
	}
	return string(quoted)
}
