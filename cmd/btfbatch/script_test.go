package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"debug/dwarf"
	"debug/elf"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/ulikunitz/xz"

	"github.com/btfbatch/btfbatch/cmd/internal/standin/atonce"
	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder/input"
	"github.com/btfbatch/btfbatch/golden/report"
)

func TestMain(m *testing.M) {
	if os.Getenv("BTFBATCH_CACHE") == "" { // no test uses the cache of whoever runs it
		_ = os.Setenv("BTFBATCH_CACHE", filepath.Join(os.TempDir(), "btfbatch-test-cache"))
	}
	testscript.Main(heard{m}, map[string]func(){"btfbatch": main, atonce.Name: main})
}

// heard runs tests whose commands get all signals, although the tests may run below nohup, or in the background of a script, which ignores SIGINT.
type heard struct{ *testing.M }

func (h heard) Run() int {
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGHUP} {
		if signal.Ignored(s) {
			signal.Notify(make(chan os.Signal, 1), s) // commands inherit that it is ignored, but not that it is caught
		}
	}
	return h.M.Run()
}

// TestScripts runs command lines. $IMAGES and $ODD are the folders of the committed images, and $CALLS is the folder with the outputs of
// pahole.
func TestScripts(t *testing.T) {
	images, err := filepath.Abs(filepath.Join("..", "..", "corpus", "images"))
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(env *testscript.Env) error {
			env.Setenv("IMAGES", images)
			env.Setenv("ODD", filepath.Join(filepath.Dir(images), "unusual"))
			env.Setenv("SORTED", filepath.Join(filepath.Dir(filepath.Dir(images)), "encoder", "sorted", "testdata"))
			env.Setenv("QUICKSTART", filepath.Join(filepath.Dir(images), "quickstart.yaml"))
			env.Setenv("CALLS", filepath.Join(filepath.Dir(filepath.Dir(images)), "cmd", "internal", "pahole", "testdata"))
			env.Setenv("CI", "")
			env.Setenv("GORACE", os.Getenv("GORACE"))
			env.Setenv("BTFBATCH_CACHE", filepath.Join(env.WorkDir, ".cache"))
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits": exits, "signalled": signalled, "synth": makeSynth, "damage": damage, "many": many, "whole": whole,
			"leftover": leftover, "swept": swept, "pack": pack, "digests": digests, "deb": makePackage, "rpm": makePackage, "boot": makeBoot, "bootable": makeBootable, "rename": rename, "sumof": sumOf, "serve": serve,
		},
	})
}

// exits CODE COMMAND ARG... runs a command, which must exit with CODE.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	if err := ts.Exec(args[1], args[2:]...); code(ts, err) != args[0] {
		ts.Fatalf("got exit code %s, want %s", code(ts, err), args[0])
	}
}

func code(ts *testscript.TestScript, err error) string {
	var e *exec.ExitError
	if err != nil && !errors.As(err, &e) {
		ts.Fatalf("%v", err)
	}
	if e == nil {
		return "0"
	}
	return strconv.Itoa(e.ExitCode())
}

// sumof NAME FILE sets a variable to the SHA-256 of a file.
func sumOf(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv(args[0], fmt.Sprintf("%x", sha256.Sum256([]byte(ts.ReadFile(args[1])))))
}

// signalled CODE SIGNAL FILE COMMAND ARG... starts a command, sends it a signal as soon as FILE exists, and checks its exit code, which is -1
// if the signal ended it.
func signalled(ts *testscript.TestScript, _ bool, args []string) {
	sig := map[string]os.Signal{"INT": os.Interrupt, "TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL}[args[1]]
	path := ""
	for dir := range strings.SplitSeq(ts.Getenv("PATH"), string(filepath.ListSeparator)) {
		if p := filepath.Join(dir, args[3]); path == "" {
			if _, err := os.Stat(p); err == nil {
				path = p
			}
		}
	}
	cmd := exec.Command(path, args[4:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = ts.MkAbs("."), ts.Stdout(), ts.Stderr()
	cmd.Env = append(os.Environ(), "CI=")
	ts.Check(cmd.Start())
	for start := time.Now(); ; time.Sleep(time.Millisecond) {
		if _, err := os.Stat(ts.MkAbs(args[2])); err == nil {
			break
		}
		if time.Since(start) > time.Minute {
			ts.Check(cmd.Process.Kill())
			ts.Fatalf("%s does not appear", args[2])
		}
	}
	ts.Check(cmd.Process.Signal(sig))
	if got := code(ts, cmd.Wait()); got != args[0] {
		ts.Fatalf("got exit code %s, want %s", got, args[0])
	}
}

// serve serves the files of the script's folder, and sets SERVER to the URL. Below busy/ it asks to come back in ten minutes.
func serve(ts *testscript.TestScript, _ bool, _ []string) {
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServer(http.Dir(ts.MkAbs("."))))
	mux.HandleFunc("/busy/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "600")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	s := httptest.NewServer(mux)
	ts.Defer(s.Close)
	ts.Setenv("SERVER", s.URL)
	ts.Setenv("BTFBATCH_CACHE", ts.MkAbs("cache"))
	ts.Setenv("DEBUGINFOD_URLS", s.URL+"/debug")
}

// moreFuncs adds functions to an image.
func moreFuncs(b *synth.Builder, n int) {
	if n == 0 {
		return
	}
	text := b.Text(".text.more", 0x900000, 16*n)
	cu := b.CU("more.c", synth.C11)
	long := cu.Base("long", 8, synth.Signed)
	for i := range n {
		name := fmt.Sprint("more", i)
		cu.Func(name, text.At(uint64(16*i)), 16, long).External()
		b.Symbol(name, text.At(uint64(16*i)), 16, elf.STT_FUNC)
	}
}

// makeSynth WHAT FILE builds a small image: sample, kernel (with a linux_banner; then perhaps its release and a number of more functions), roomy and tight (the linker reserved much or little space
// for BTF), nodwarf, empty (no types).
func makeSynth(ts *testscript.TestScript, _ bool, args []string) {
	target := synth.Target{Class: elf.ELFCLASS64, Order: binary.LittleEndian, Machine: elf.EM_X86_64, Type: elf.ET_EXEC, DWARF: 5}
	b := synth.New(target)
	text := b.Text(".text", 0x1000, 64)
	switch args[0] {
	case "sample":
		b = synth.Sample(target)
		b.Note(".note.gnu.build-id", "GNU", 3, []byte{0x12, 0x34, 0xab, 0xcd})
	case "core":
		target.Type = elf.ET_CORE
		b = synth.New(target)
		b.Note("CORE", "CORE", 1, make([]byte, 16))
	case "kernel":
		b = synth.Sample(target)
		release, more := "6.1.0-18-amd64", 0
		if len(args) > 2 {
			var err error
			release = args[2]
			more, err = strconv.Atoi(args[3])
			ts.Check(err)
		}
		banner := "Linux version " + release + " (me@here) (gcc-12, GNU ld) #1 SMP\x00"
		ro := b.Section(".rodata", elf.SHT_PROGBITS, elf.SHF_ALLOC, 0x700000, []byte(banner))
		b.Symbol("linux_banner", ro.At(0), uint64(len(banner)), elf.STT_OBJECT)
		moreFuncs(b, more)
	case "roomy", "tight":
		b = synth.Sample(target)
		b.Data(".BTF", 0x200000, map[string]int{"roomy": 0x1000, "tight": 0x20}[args[0]])
	case "nodwarf":
		b.Symbol("main", text.At(0), 16, elf.STT_FUNC)
	case "declared":
		b.Symbol("main", text.At(0), 16, elf.STT_FUNC)
		cu := b.CU("declared.c", synth.C11)
		for i := range 12 {
			cu.Pointer(cu.DIE(dwarf.TagStructType, synth.Str(dwarf.AttrName, synth.FormString, fmt.Sprint("s", i)),
				synth.Num(dwarf.AttrDeclaration, synth.FormData1, 1)))
		}
	case "empty":
		b.Symbol("main", text.At(0), 16, elf.STT_FUNC)
		b.CU("empty.c", synth.C11)
	default:
		ts.Fatalf("no image %q", args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b.Bytes(), 0o666))
}

// damage FILE SECTION OFFSET BYTE... overwrites bytes of a section; damage FILE cut SIZE cuts the file.
func damage(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	if args[1] == "cut" {
		n, err := strconv.ParseInt(args[2], 0, 64)
		ts.Check(err)
		ts.Check(os.Truncate(path, n))
		return
	}
	f, err := elf.Open(path)
	ts.Check(err)
	at := f.Section(args[1]).Offset
	ts.Check(f.Close())
	off, err := strconv.ParseUint(args[2], 0, 64)
	ts.Check(err)
	data, err := os.ReadFile(path)
	ts.Check(err)
	for i, text := range args[3:] {
		v, err := strconv.ParseUint(text, 0, 8)
		ts.Check(err)
		data[at+off+uint64(i)] = byte(v)
	}
	ts.Check(os.WriteFile(path, data, 0o666))
}

// digests REPORT N checks that the outputs in a stored report are N files, each of the stated size and digest.
func digests(ts *testscript.TestScript, _ bool, args []string) {
	r, err := report.Read(strings.NewReader(ts.ReadFile(args[0])))
	ts.Check(err)
	n := 0
	for _, row := range r.Rows() {
		for _, o := range row.Outputs {
			n++
			data := ts.ReadFile(o.Path)
			if sum := sha256.Sum256([]byte(data)); int64(len(data)) != o.Bytes || hex.EncodeToString(sum[:]) != o.SHA256 {
				ts.Fatalf("%s is not what the report says: %d bytes, %x", o.Path, len(data), sum)
			}
		}
	}
	if fmt.Sprint(n) != args[1] {
		ts.Fatalf("the report has %d outputs, want %s", n, args[1])
	}
}

// rename FILE OLD NEW replaces a text in a file.
func rename(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	data, err := os.ReadFile(path)
	ts.Check(err)
	ts.Check(os.WriteFile(path, bytes.ReplaceAll(data, []byte(args[1]), []byte(args[2])), 0o666))
}

// pack FORMAT IN OUT compresses a file: gzip, zstd, xz, or tar+xz, an archive of it alone.
func pack(ts *testscript.TestScript, _ bool, args []string) {
	data, err := os.ReadFile(ts.MkAbs(args[1]))
	ts.Check(err)
	var b bytes.Buffer
	format, archived := strings.CutPrefix(args[0], "tar+")
	if archived {
		t := tar.NewWriter(&b)
		ts.Check(t.WriteHeader(&tar.Header{Name: "6.1.0-18-amd64.btf", Typeflag: tar.TypeReg, Size: int64(len(data)), Mode: 0o444}))
		_, err := t.Write(data)
		ts.Check(err)
		ts.Check(t.Close())
		data = bytes.Clone(b.Bytes())
		b.Reset()
	}
	var w io.WriteCloser
	if format == "xz" {
		w, err = xz.NewWriter(&b)
	} else {
		w, err = input.NewPacker(&b, format)
	}
	ts.Check(err)
	_, err = w.Write(data)
	ts.Check(err)
	ts.Check(w.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), b.Bytes(), 0o666))
}

// deb [zstd] OUT.deb NAME=FILE... makes a Debian package of files, compressed by xz in several blocks, or by zstd. NAME->TARGET is a symbolic link.
// With OUT.rpm it is an RPM package. deb unlisted OUT.deb leaves the list of files out.
func makePackage(ts *testscript.TestScript, _ bool, args []string) {
	pack, name := func(data []byte) []byte { return synth.XZ(data, 8<<10) }, "data.tar.xz"
	if args[0] == "zstd" {
		args, name = args[1:], "data.tar.zst"
		pack = func(data []byte) []byte {
			var b bytes.Buffer
			w, err := input.NewPacker(&b, "zstd")
			ts.Check(err)
			_, err = w.Write(data)
			ts.Check(errors.Join(err, w.Close()))
			return b.Bytes()
		}
	}
	listed := args[0] != "unlisted"
	if !listed {
		args = args[1:]
	}
	var entries []synth.Entry
	for _, arg := range args[1:] {
		if name, target, ok := strings.Cut(arg, "->"); ok {
			entries = append(entries, synth.Entry{Name: "./" + name, Link: target})
			continue
		}
		name, file, _ := strings.Cut(arg, "=")
		entries = append(entries, synth.Entry{Name: "./" + name, Body: []byte(ts.ReadFile(file))})
	}
	var data []byte
	if strings.HasSuffix(args[0], ".rpm") {
		data = synth.RPM(pack(synth.Cpio(entries...)), entries...)
	} else {
		sums := ""
		if listed {
			sums = synth.Sums(entries...)
		}
		data = synth.DebOf(sums, name, pack(synth.Tar(entries...)))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), data, 0o666))
}

// boot OUT ELF makes a bzImage of a kernel, compressed by zstd.
func makeBoot(ts *testscript.TestScript, _ bool, args []string) {
	kernel := []byte(ts.ReadFile(args[1]))
	var packed bytes.Buffer
	w, err := input.NewPacker(&packed, "zstd")
	ts.Check(err)
	_, err = w.Write(kernel)
	ts.Check(errors.Join(err, w.Close()))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), synth.BzImage(packed.Bytes(), len(kernel)), 0o666))
}

// bootable ARCH OUT BTF makes a kernel as it boots, with BTF: an Image of arm64 or riscv64, as it is or, in a file that ends with .efi, as an EFI zboot image.
func makeBootable(ts *testscript.TestScript, _ bool, args []string) {
	kernel := synth.Image(args[0], []byte(ts.ReadFile(args[2])))
	if strings.HasSuffix(args[1], ".efi") {
		var packed bytes.Buffer
		w, err := input.NewPacker(&packed, "gzip")
		ts.Check(err)
		_, err = w.Write(kernel)
		ts.Check(errors.Join(err, w.Close()))
		kernel = synth.Zboot("gzip", packed.Bytes(), len(kernel))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), kernel, 0o666))
}

// many N FILE writes a manifest that takes a while: the same image N times.
func many(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	var b strings.Builder
	fmt.Fprintf(&b, "version: 1\ndefaults: {profile: pahole}\nmatrix:\n  n: [")
	for i := range n {
		fmt.Fprintf(&b, "%d, ", i)
	}
	fmt.Fprintf(&b, "]\nimages:\n  - name: i${{ matrix.n }}\n    kind: any\n    path: %s\n    outputs: {btf: \"out/${{ image.name }}.btf\", "+
		"dump: \"out/${{ image.name }}.raw\"}\n", filepath.Join(ts.Getenv("IMAGES"), "gcc12-x86_64-dwarf5-based.elf"))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(b.String()), 0o666))
}

// leftover FILE... creates the temporary file that a killed program leaves next to each file.
func leftover(ts *testscript.TestScript, _ bool, args []string) {
	for _, path := range args {
		h := fnv.New64a()
		h.Write([]byte(filepath.Base(path)))
		name := fmt.Sprintf(".btfbatch-%016x.0123456789abcdef", h.Sum64())
		ts.Check(os.WriteFile(filepath.Join(filepath.Dir(ts.MkAbs(path)), name), nil, 0o600))
	}
}

// swept DIR... checks that there are no temporary files in the folders.
func swept(ts *testscript.TestScript, _ bool, args []string) {
	for _, dir := range args {
		found, err := filepath.Glob(filepath.Join(ts.MkAbs(dir), ".btfbatch-*"))
		ts.Check(err)
		if len(found) > 0 {
			ts.Fatalf("left behind: %v", found)
		}
	}
}

// whole DIR checks that the folder has published files, and that all of them are complete.
func whole(ts *testscript.TestScript, _ bool, args []string) {
	entries, err := os.ReadDir(ts.MkAbs(args[0]))
	ts.Check(err)
	n := 0
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		n++
		golden := filepath.Join(ts.Getenv("IMAGES"), "gcc12-x86_64-dwarf5-based"+filepath.Ext(e.Name())+".golden")
		if ts.ReadFile(filepath.Join(args[0], e.Name())) != ts.ReadFile(golden) {
			ts.Fatalf("%s is not whole", e.Name())
		}
	}
	if n == 0 {
		ts.Fatalf("%s is empty", args[0])
	}
}
