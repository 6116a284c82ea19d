package pahole

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/golden/report/exitcode"
)

// ownWay lists the options that btfbatch handles differently from pahole, with the difference.
var ownWay = map[string]string{
	"help":                   "another text",
	"usage":                  "another text",
	"devel_version":          "prints no commit",
	"supported_btf_features": "layout, see TestTextsLikePeer",
	"btf_gen_all":            "layout, see TestTextsLikePeer",
	"ctf_encode":             "refused with another text; it does not work in pahole either",
	"running_kernel_vmlinux": "refused",
	"program-name":           "refused",
	"HANG":                   "refused",
	"prettify":               "has no effect, because nothing is printed",
	"sort":                   "encodes BTF; pahole silently writes nothing",
	"ptr_table_stats":        "no statistics on stderr",
	"kabi_prefix":            "an empty prefix is an error; pahole silently writes nothing",
	"lang":                   "see TestLanguages",
	"lang_exclude":           "see TestLanguages",
}

// TestEveryOption: each option together with -J, with several arguments, has the same outcome as with pahole.
func TestEveryOption(t *testing.T) {
	dir := t.TempDir()
	for i := range options {
		o := &options[i]
		if ownWay[o.long] != "" {
			continue
		}
		var lines []string
		switch o.arg {
		case none:
			lines = []string{"--" + o.long, "--" + o.long + "=1"}
		case required:
			lines = []string{"--" + o.long + "=1", "--" + o.long + "=", "--" + o.long + " x", "--" + o.long + "=default,var"}
		case optional:
			lines = []string{"--" + o.long, "--" + o.long + "=1", "--" + o.long + "=x", "--" + o.long + "=-3"}
		}
		if o.short != 0 {
			lines = append(lines, "-"+string(o.short), "-"+string(o.short)+"1", "-"+string(o.short)+" 1")
		}
		for _, line := range lines {
			if o.long == "format_path" && line != "-F" {
				continue // btfbatch reads only dwarf
			}
			// If the option takes the name of the output as its argument, the image is encoded in place.
			got, want := everyWay(t, ours, dir, line), everyWay(t, theirs, dir, line)
			want.err = withoutNotFound(want.err)
			if want.btf == nil && want.code == exitcode.OK && want.out == "" { // pahole does not print that a file of that name is missing
				if got.btf != nil || got.code == exitcode.OK && !strings.Contains(got.err, "nothing to encode") {
					t.Errorf("%s: got exit code %d, %q, want an error, because pahole writes nothing", line, got.code, got.err)
				}
				continue
			}
			same(t, line, got, want)
		}
	}
}

// everyWay runs a call on a copy of an image, and takes the BTF from the detached file or else from the image.
func everyWay(t *testing.T, call func(*testing.T, []string) outcome, dir, line string) outcome {
	t.Helper()
	file := filepath.Join(dir, "vmlinux")
	copyFile(t, image("gcc12-x86_64-dwarf5-differing.elf"), file)
	o := detached(t, call, line, file)
	if o.btf == nil {
		o.btf = section(t, file, btf.SectionBTF)
	}
	return o
}

// withoutNotFound removes pahole's lines about types that it was to print.
func withoutNotFound(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasSuffix(line, "' not found\n") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// TestAbbreviations: a long option may be abbreviated to the same prefixes as in pahole.
func TestAbbreviations(t *testing.T) {
	p := parser{name: "pahole"}
	seen := map[string]bool{}
	for i := range options {
		long := options[i].long
		for n := 1; n <= len(long); n++ {
			// The second option makes sure that the call ends with a usage error.
			line := "--" + long[:n] + "=1 --no_such_option"
			_, err := p.lookup(long[:n], "")
			result := long
			if err != nil {
				result = strings.SplitN(err.Error(), "possibilities", 2)[1]
			}
			if seen[result] {
				continue // another prefix has the same result
			}
			seen[result] = true
			if o, _ := p.lookup(long[:n], ""); o != nil && (o.arg == optional || ownWay[o.long] != "") {
				continue
			}
			same(t, line, ours(t, words(line)), theirs(t, words(line)))
		}
	}
}

// TestEnvironment: PAHOLE_LANG_EXCLUDE applies if no option is about languages.
func TestEnvironment(t *testing.T) {
	file := image("gcc12-x86_64-dwarf5-zerobased.elf")
	for _, value := range []string{"rust", "asm", "c11,asm", "C11", "", "foo", "rust,", "asm,foo", " asm"} {
		t.Run(value, func(t *testing.T) {
			t.Setenv("PAHOLE_LANG_EXCLUDE", value)
			for _, line := range []string{"", "--lang=c11", "--lang_exclude=rust", "--btf_features=default"} {
				same(t, line, detached(t, ours, line, file), detached(t, theirs, line, file))
			}
			same(t, "--numeric_version", ours(t, []string{"--numeric_version"}), theirs(t, []string{"--numeric_version"}))
		})
	}
}

// TestWithoutEncoding: calls for which pahole would print types are refused before any file is opened.
func TestWithoutEncoding(t *testing.T) {
	for _, line := range []string{"vmlinux", "-F btf vmlinux", "-C list_head vmlinux", "--sizes vmlinux", "", "--btf_base=vmlinux tun.ko",
		"--btf_features=default vmlinux", "-J", "-j", "-J -F btf vmlinux", "--running_kernel_vmlinux", "-Z vmlinux"} {
		o := ours(t, words(line))
		if o.code != exitcode.PaholeUsage || o.out != "" || !strings.Contains(o.err, "btfbatch") && line != "-J" {
			t.Errorf("%s: got exit code %d, %q, %q", line, o.code, o.out, o.err)
		}
	}
}
