package elf

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	ebpf "github.com/cilium/ebpf/btf"

	"github.com/btfbatch/btfbatch/corpus/peer"
)

// program prints a constant, a relocated variable, and what it finds in the memory of its section .BTF.
const program = `
#include <stdio.h>
#ifdef RESERVE
__attribute__((section(".BTF"), used)) const volatile unsigned char room[8192] = { 1, 2, 3 };
#else
static const volatile unsigned char room[2];
#endif
static const char *const words[] = { "embedded", "or", "not" };
int main(void)
{
	for (int i = 0; i < 3; i++)
		puts(words[i]);
	printf("%02x %02x\n", room[0], room[1]);
	return 42;
}
`

// compile builds a program that this machine can run.
func compile(t *testing.T, compiler string, flags ...string) string {
	t.Helper()
	lacks := t.Skipf
	if compiler == "gcc" { // the other compilers are optional
		lacks = func(format string, args ...any) { t.Helper(); peer.Missing(t, format, args...) }
	}
	if _, err := exec.LookPath(compiler); err != nil {
		lacks("no compiler: %v", err)
	}
	dir := t.TempDir()
	source, out := filepath.Join(dir, "program.c"), filepath.Join(dir, "program")
	if err := os.WriteFile(source, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := exec.Command(compiler, append(flags, "-o", out, source)...).CombinedOutput(); err != nil {
		lacks("%s %v: %v: %s", compiler, flags, err, text) // a compiler without a C library
	}
	if err := exec.Command(out).Run(); errors.Is(err, syscall.ENOEXEC) || errors.Is(err, os.ErrNotExist) {
		lacks("this machine does not run what %s makes: %v", compiler, err)
	}
	return out
}

// run runs a program that ends with 42, and returns its output.
func run(t *testing.T, path string) string {
	t.Helper()
	out, err := exec.Command(path).Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 42 {
		t.Fatalf("%s: got %v, want exit status 42", path, err)
	}
	return string(out)
}

// wireBTF is pahole's output for a small image: valid BTF to put into any file.
func wireBTF(t *testing.T) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "corpus", "images", "gcc12-x86_64-dwarf5-zerobased.btf.golden"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestEmbedProgram: programs of all kinds still run, and other readers find the BTF.
func TestEmbedProgram(t *testing.T) {
	for name, command := range map[string][]string{
		"position independent": {"gcc", "-g", "-fpie", "-pie"},
		"fixed":                {"gcc", "-g", "-fno-pie", "-no-pie"},
		"static":               {"gcc", "-static", "-fno-pie", "-no-pie"},
		"stripped":             {"gcc", "-s"},
		"headers with code":    {"gcc", "-g", "-Wl,-z,noseparate-code"},
		"compressed":           {"gcc", "-g", "-gz"},
		"32-bit":               {"i686-linux-gnu-gcc", "-g", "-static"},
	} {
		t.Run(name, func(t *testing.T) {
			before := compile(t, command[0], command[1:]...)
			after := before + ".btf"
			btf := wireBTF(t)
			sections := []EmbedSection{{".BTF", btf}, {".another", btf}}
			if err := Embed(before, sections, NewCopy(after)); err != nil {
				t.Fatal(err)
			}
			compareFiles(t, before, after, sections)
			if got, want := run(t, after), run(t, before); got != want {
				t.Errorf("it prints %q, before %q", got, want)
			}
			compareReadelf(t, before, after)
			readByOthers(t, after)
		})
	}
}

// TestEmbedProgramReserved: the program sees the BTF in its memory.
func TestEmbedProgramReserved(t *testing.T) {
	before := compile(t, "gcc", "-DRESERVE")
	after := before + ".btf"
	sections := []EmbedSection{{".BTF", wireBTF(t)}}
	if err := Embed(before, sections, NewCopy(after)); err != nil {
		t.Fatal(err)
	}
	compareFiles(t, before, after, sections)
	if got, want := run(t, before), "embedded\nor\nnot\n01 02\n"; got != want {
		t.Errorf("before: got %q, want %q", got, want)
	}
	if got, want := run(t, after), "embedded\nor\nnot\n9f eb\n"; got != want {
		t.Errorf("after: got %q, want %q", got, want)
	}
	readByOthers(t, after)
}

// TestEmbedImages: the images of the corpus, of all word sizes and byte orders, linked and relocatable.
func TestEmbedImages(t *testing.T) {
	images, err := filepath.Glob(filepath.Join("..", "..", "corpus", "images", "*-*-*-*.[ek][lo]*"))
	if err != nil || len(images) == 0 {
		t.Fatalf("no images (%v)", err)
	}
	for _, image := range images {
		t.Run(filepath.Base(image), func(t *testing.T) {
			btf, err := os.ReadFile(strings.TrimSuffix(image, filepath.Ext(image)) + ".btf.golden")
			if err != nil {
				t.Fatal(err)
			}
			sections := []EmbedSection{{".BTF", btf}}
			out := filepath.Join(t.TempDir(), "image")
			if err := Embed(image, sections, NewCopy(out)); err != nil {
				t.Fatal(err)
			}
			compareFiles(t, image, out, sections)
			compareReadelf(t, image, out)
			readByOthers(t, out)
		})
	}
}

// compareFiles checks that nothing is lost, and that a fresh file keeps every byte after its ELF header.
func compareFiles(t *testing.T, before, after string, sections []EmbedSection) {
	t.Helper()
	a, err := os.ReadFile(before)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(after)
	if err != nil {
		t.Fatal(err)
	}
	if problem := lost(a, b, sections); problem != "" {
		t.Error(problem)
	}
}

// mayDiffer are the lines of readelf that show the places of headers and names.
var mayDiffer = regexp.MustCompile(`^There are \d+ section headers|^  (Start|Number) of section headers:|^  \[ *\d+\] (\.shstrtab|\.BTF|\.another) `)

// compareReadelf compares all that readelf prints of both files. Only a few lines may differ.
func compareReadelf(t *testing.T, before, after string) {
	t.Helper()
	if _, err := exec.LookPath("readelf"); err != nil {
		peer.Missing(t, "%v", err)
	}
	lines := func(path string) (same, other []string) {
		out, err := exec.Command("readelf", "-aW", path).Output()
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(out)) {
			if mayDiffer.MatchString(line) {
				other = append(other, line)
			} else {
				same = append(same, line)
			}
		}
		return same, other
	}
	got, differs := lines(after)
	want, _ := lines(before)
	if len(got) != len(want) {
		t.Errorf("readelf: got %d lines that are to be as before, want %d", len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("readelf: got %q, want %q", got[i], want[i])
		}
	}
	if len(differs) < 4 {
		t.Errorf("readelf: got %d lines about headers, want at least 4: %q", len(differs), differs)
	}
}

// readByOthers reads the section .BTF with third-party libraries.
func readByOthers(t *testing.T, path string) {
	t.Helper()
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Section(".symtab") != nil {
		readByCilium(t, path)
	}
	readByBpftool(t, f, path)
}

// readByCilium needs a file with symbols.
func readByCilium(t *testing.T, path string) {
	t.Helper()
	spec, err := ebpf.LoadSpec(path)
	if err != nil {
		t.Errorf("cilium/ebpf: %v", err)
		return
	}
	var s *ebpf.Struct
	if err := spec.TypeByName("list_head", &s); err != nil {
		var i *ebpf.Int
		if err := spec.TypeByName("unsigned int", &i); err != nil && spec.TypeByName("int", &i) != nil {
			t.Errorf("cilium/ebpf: neither struct list_head nor int: %v", err)
		}
	}
}

func readByBpftool(t *testing.T, f *File, path string) {
	t.Helper()
	bpftool := filepath.Join(peer.Lab(t), "bin", "bpftool")
	if _, err := os.Stat(bpftool); err != nil {
		if peer.Required() {
			t.Errorf("no peers: %v", err)
		}
		return
	}
	data, err := f.raw(f.Section(".BTF"))
	if err != nil {
		t.Fatal(err)
	}
	detached := filepath.Join(t.TempDir(), "detached")
	if err := os.WriteFile(detached, data, 0o600); err != nil {
		t.Fatal(err)
	}
	var dumps [2][]byte
	for i, file := range []string{detached, path} {
		if dumps[i], err = exec.Command(bpftool, "btf", "dump", "file", file, "format", "raw").Output(); err != nil {
			t.Errorf("bpftool: %s: %v", file, err)
			return
		}
	}
	if !bytes.Equal(dumps[0], dumps[1]) || len(dumps[0]) == 0 {
		t.Errorf("bpftool prints %d bytes of the embedded BTF, %d of the same detached", len(dumps[1]), len(dumps[0]))
	}
}
