package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/corpus/synth"
)

// The commands of README.md and docs are run as they are written. A block of commands is marked sh, and a block with the output console:
//
//	```sh                  is always run
//	```sh lab              needs real kernels: vmlinux is 6.12, and there are 6.1.btf and 6.12.btf, drivers/net/tun.ko, ...
//	```sh network          needs the network, or takes minutes: run with BTFBATCH_DOCS=network
//	```sh not-run REASON   cannot be run in a test
//	```console ...         "$ command" lines, each followed by its output; numbers do not count, and [...] stands for any text
//
// All blocks of a document are run by one shell, in the order of the text, in a folder with the files that scene and labScene make.

// A block is a fenced block of commands.
type block struct {
	line     int
	language string // sh or console
	needs    string // "", lab, network or not-run
	text     string
}

var fence = regexp.MustCompile("(?ms)^```(sh|console|bash|shell|shell-session)([^\n]*)\n(.*?)^```$")

// blocksOf finds the blocks of commands in a document.
func blocksOf(t *testing.T, name, text string) (list []block) {
	t.Helper()
	for _, m := range fence.FindAllStringSubmatchIndex(text, -1) {
		b := block{line: 1 + strings.Count(text[:m[0]], "\n"), language: text[m[2]:m[3]], text: text[m[6]:m[7]]}
		words := strings.Fields(text[m[4]:m[5]])
		if len(words) > 0 {
			b.needs = words[0]
		}
		if b.language != "sh" && b.language != "console" {
			t.Errorf("%s:%d: a block of commands is marked sh or console, not %s", name, b.line, b.language)
		}
		if !slices.Contains([]string{"", "lab", "network", "not-run"}, b.needs) || b.needs == "not-run" && len(words) < 3 {
			t.Errorf("%s:%d: %q is none of lab, network, not-run REASON", name, b.line, strings.Join(words, " "))
		}
		list = append(list, b)
	}
	return list
}

// prelude lets commands be run one after another. A difference is not an error of diff.
const prelude = `set -euo pipefail
btfbatch() { local code=0; command btfbatch "$@" || code=$?; [ "$code" = 3 ] && [ "$1" = diff ] && return 0; return $code; }
status=0
`

// A call is a command of a console block, with the output that the document shows.
type call struct {
	command, want string
	line          int
}

// calls divides a console block.
func (b *block) calls() (list []call) {
	n := b.line
	for line := range strings.Lines(b.text) {
		n++
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			list = append(list, call{command: strings.TrimSpace(command), line: n})
		} else if len(list) > 0 {
			list[len(list)-1].want += line
		}
	}
	return list
}

// script returns the commands of a block. The n-th call of a document writes its output to the file out.n.
func (b *block) script(n *int) string {
	var s strings.Builder
	if b.needs == "network" { // these blocks follow one another in the folder of the checkout
		fmt.Fprintf(&s, "at=%d\ncd \"${checkout:-$SCENE}\"\n%s\ncheckout=$PWD\ncd \"$SCENE\"\n", b.line, b.text)
		return s.String()
	}
	if b.language == "sh" {
		fmt.Fprintf(&s, "at=%d\n%s\n", b.line, b.text)
		return s.String()
	}
	for _, c := range b.calls() {
		fmt.Fprintf(&s, "at=%d\nif { (exit $status)\n%s\n} > \"$SCENE/out.%d\" 2>&1; then status=0; else status=$?; fi\n", c.line, c.command, *n)
		*n++
	}
	return s.String()
}

var docNumbers = regexp.MustCompile(`[0-9]+(?:\.[0-9]+)?`)

// alike reports whether an output is the one that a document shows. Numbers and the width of columns do not count.
func alike(got, want string) bool {
	plain := func(text string) string {
		return strings.TrimSpace(docNumbers.ReplaceAllString(regexp.MustCompile(`[ \t]+`).ReplaceAllString(text, " "), "0"))
	}
	var pattern []string
	for part := range strings.SplitSeq(plain(want), "[...]") {
		pattern = append(pattern, regexp.QuoteMeta(strings.TrimSpace(part)))
	}
	return regexp.MustCompile(`(?s)^` + strings.Join(pattern, `.*`) + `$`).MatchString(plain(got))
}

// TestDocuments runs the commands of the documents.
func TestDocuments(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	peer.Installed(t, "bash", "git", "jq", "zstd")
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	lab := os.Getenv("LAB")
	if _, err := os.Stat(filepath.Join(lab, "kernels", "6.12-cloud-amd64.vmlinux")); err != nil || lab == "" {
		if peer.Required() {
			t.Fatalf("no kernels in the lab: %v", err)
		}
		lab = ""
	}
	ran := 0
	for _, file := range append(files, filepath.Join(root, "README.md")) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name, err := filepath.Rel(root, file)
		if err != nil {
			t.Fatal(err)
		}
		all := blocksOf(t, name, string(text))
		if len(all) == 0 {
			continue
		}
		t.Run(name, func(t *testing.T) { ran += runBlocks(t, root, name, all, lab) })
	}
	if ran < 5 {
		t.Errorf("%d blocks were run, want more", ran)
	}
}

// runBlocks runs the blocks of a document, and returns how many.
func runBlocks(t *testing.T, root, name string, all []block, lab string) int {
	t.Helper()
	var list []block
	for _, b := range all {
		switch {
		case b.needs == "not-run":
			t.Logf("%s:%d: not run", name, b.line)
		case b.needs == "network" && os.Getenv("BTFBATCH_DOCS") != "network":
			t.Logf("%s:%d: not run: BTFBATCH_DOCS is not network", name, b.line)
		case b.needs == "lab" && lab == "":
			t.Logf("%s:%d: not run: there are no kernels in $LAB", name, b.line)
		default:
			list = append(list, b)
		}
	}
	if len(list) == 0 {
		return 0
	}
	dir := scene(t, root)
	if name == "README.md" { // which writes one
		if err := os.Remove(filepath.Join(dir, defaultManifest)); err != nil {
			t.Fatal(err)
		}
	}
	if slices.ContainsFunc(list, func(b block) bool { return b.needs == "lab" }) {
		labScene(t, dir, lab, root)
	}
	var script strings.Builder
	fmt.Fprintf(&script, "%sexport SCENE=%s\ntrap 'echo \"%s: the block at line $at failed\" >&2' ERR\n", prelude, dir, name)
	n := 0
	for i := range list {
		script.WriteString(list[i].script(&n))
	}
	cmd := exec.Command("bash", "-c", script.String())
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Join(dir, ".bin")+":"+os.Getenv("PATH"), "CI=", "GITHUB_OUTPUT=", "GITHUB_STEP_SUMMARY=", "GITHUB_ACTIONS=", "HOME="+dir,
		"GOCACHE="+goEnv(t, "GOCACHE"), "GOMODCACHE="+goEnv(t, "GOMODCACHE"),
		// The documents clone from GitHub: here that is this checkout.
		"GIT_CONFIG_COUNT=2", "GIT_CONFIG_KEY_0=url."+root+".insteadOf", "GIT_CONFIG_VALUE_0=https://github.com/btfbatch/btfbatch",
		"GIT_CONFIG_KEY_1=safe.directory", "GIT_CONFIG_VALUE_1=*")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out[max(0, len(out)-4000):])
	}
	i := 0
	for _, b := range list {
		if b.language != "console" {
			continue
		}
		for _, c := range b.calls() {
			got, err := os.ReadFile(filepath.Join(dir, fmt.Sprint("out.", i)))
			i++
			if err != nil {
				t.Errorf("%s:%d: %v", name, c.line, err)
			} else if !alike(string(got), c.want) {
				t.Errorf("%s:%d: %s prints\n%s\nand the document shows\n%s", name, c.line, c.command, got, c.want)
			}
		}
	}
	return len(list)
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// scene makes a folder with the files that documents name: small images, a manifest with goldens, and the program.
func scene(t *testing.T, root string) string {
	t.Helper()
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	images := filepath.Join(root, "corpus", "images", "gcc12-x86_64-dwarf5-")
	put := func(name string, data []byte) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	read := func(path string) []byte {
		t.Helper()
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	kernel := read(images + "based.elf")
	put("vmlinux", kernel)
	put("kernels/vmlinux", kernel)
	put("kernels/arm64.vmlinux", read(filepath.Join(root, "corpus", "images", "gcc12-arm64-dwarf5-based.elf")))
	put("kernels/modules/driver.ko", read(images+"driver.ko"))
	put("vmlinux.btf", read(images+"based.btf.golden"))
	put("goldens/vmlinux.raw", read(images+"based.raw.golden"))
	put("linux-image-6.12-dbg.deb", synth.Deb("data.tar.xz", synth.XZ(synth.Tar(
		synth.Entry{Name: "./usr/lib/debug/boot/vmlinux-6.12.0-amd64", Body: kernel}), 8<<10)))
	put("btfbatch.yaml", []byte("version: 1\ndefaults: {profile: pahole, kind: any, outputs: {btf: \"out/${{ image.name }}.btf\"}}\n"+
		"images:\n- {name: arm64, path: kernels/arm64.vmlinux}\n- {path: kernels/vmlinux, golden: goldens/vmlinux.raw}\n- {path: kernels/modules/driver.ko, base: vmlinux}\n"))
	if err := os.Mkdir(filepath.Join(dir, ".bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(dir, ".bin", "btfbatch")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// labScene replaces the kernels of a scene by real ones.
func labScene(t *testing.T, dir, lab, root string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, "vmlinux")); err != nil {
		t.Fatal(err)
	}
	script := `set -eu
k=$1/kernels
ln -s $k/6.12-cloud-amd64.vmlinux vmlinux
mkdir -p images goldens drivers/net
for v in 6.1-cloud-amd64 6.12-cloud-amd64 6.1-s390x; do
	ln -s $k/$v.vmlinux images/$v.vmlinux
	btfbatch encode $k/$v.vmlinux -o $v.btf --profile pahole --lang-exclude rust --log-level error
	btfbatch dump $v.btf | zstd -q > goldens/$v.raw.zst
done
ln -s 6.1-cloud-amd64.btf 6.1.btf
ln -s 6.12-cloud-amd64.btf 6.12.btf
ln -s 6.1.btf old.btf
ln -s 6.12.btf new.btf
cp "$(find $1/modules/6.12-cloud-amd64 -name tun.ko | head -n 1)" drivers/net/tun.ko
zstd -q -1 $k/6.1-s390x.vmlinux -o vmlinux.zst
ln -s $k/6.12-cloud-amd64.vmlinux 6.12-cloud-amd64.vmlinux
ln -s 6.12.btf debian-6.12-cloud-amd64.btf
head -c 300000000 $k/6.12-cloud-amd64.vmlinux > cut.vmlinux
printf 'version: 1\nimages:\n- {name: cut, path: cut.vmlinux}\n- {name: whole, path: images/6.1-s390x.vmlinux}\n' > two.yaml
awk '/^version: 1/ {p = 1} /^` + "```" + `/ {if (p) exit} p' "$2/README.md" > kernels.yaml
`
	cmd := exec.Command("bash", "-c", script, "scene", lab, root)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Join(dir, ".bin")+":"+os.Getenv("PATH"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the files of the lab: %v\n%s", err, out)
	}
}

// TestAlike: the comparison with a document finds what is different.
func TestAlike(t *testing.T) {
	for _, tt := range []struct {
		got, want string
		alike     bool
	}{
		{"a 12 ms\n", "a 7 ms", true}, {"a  b\n", "a b\n", true}, {"a\nb\nc\n", "a\n[...]\nc", true}, {"a\nc\n", "a\n[...]\nc", true},
		{"a b\n", "a c\n", false}, {"a\nb\n", "a\n", false}, {"a\n", "a\nb\n", false}, {"a.c\n", "abc\n", false}, {"", "a", false},
	} {
		if got := alike(tt.got, tt.want); got != tt.alike {
			t.Errorf("%q, %q: got %t", tt.got, tt.want, got)
		}
	}
	var log bytes.Buffer
	fmt.Fprint(&log, blocksOf(t, "x", "a\n```sh lab\ncd x\n```\n```yaml\nno: 1\n```\n```console\n$ a\nb\n```\n"))
	if want := "[{2 sh lab cd x\n} {8 console  $ a\nb\n}]"; log.String() != want {
		t.Errorf("got %s, want %s", log.String(), want)
	}
}
