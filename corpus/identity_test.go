package corpus

import (
	"bytes"
	stdelf "debug/elf"
	"encoding/binary"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder/elf"
)

var (
	amd64 = synth.Target{Class: stdelf.ELFCLASS64, Order: binary.LittleEndian, Machine: stdelf.EM_X86_64, Type: stdelf.ET_EXEC}
	s390  = synth.Target{Class: stdelf.ELFCLASS64, Order: binary.BigEndian, Machine: stdelf.EM_S390, Type: stdelf.ET_EXEC}
	arm32 = synth.Target{Class: stdelf.ELFCLASS32, Order: binary.LittleEndian, Machine: stdelf.EM_ARM, Type: stdelf.ET_EXEC}
)

const alloc = stdelf.SHF_ALLOC

// kernelOf returns a kernel whose linux_banner has that text and is not at the start of its section.
func kernelOf(target synth.Target, text string) []byte {
	b := synth.New(target)
	ro := b.Section(".rodata", stdelf.SHT_PROGBITS, alloc, 0x400000, append(make([]byte, 64), text+"\x00"...))
	b.Symbol("some_text", ro.At(0), 64, stdelf.STT_OBJECT)
	b.Symbol("linux_banner", ro.At(64), uint64(len(text)+1), stdelf.STT_OBJECT)
	return b.Bytes()
}

// moduleOf returns a module with these fields in .modinfo.
func moduleOf(target synth.Target, fields ...string) []byte {
	target.Type = stdelf.ET_REL
	b := synth.New(target)
	b.Section(".modinfo", stdelf.SHT_PROGBITS, alloc, 0, []byte(strings.Join(fields, "\x00")+"\x00"))
	b.Symbol("init_module", b.Text(".text", 0, 16).At(0), 16, stdelf.STT_FUNC)
	return b.Bytes()
}

// objectOf returns an object file that has these sections without contents.
func objectOf(sections ...string) []byte {
	target := amd64
	target.Type = stdelf.ET_REL
	b := synth.New(target)
	b.Symbol("main", b.Text(".text", 0, 16).At(0), 16, stdelf.STT_FUNC)
	for _, name := range sections {
		b.NoBits(name, 0, 0, 64)
	}
	return b.Bytes()
}

// libraryOf returns a shared library.
func libraryOf() []byte {
	target := amd64
	target.Type = stdelf.ET_DYN
	b := synth.New(target)
	b.Symbol("main", b.Text(".text", 0x1000, 16).At(0), 16, stdelf.STT_FUNC)
	return b.Bytes()
}

// debugFile returns a file that has the symbols of a kernel but no contents.
func debugFile(target synth.Target) []byte {
	b := synth.New(target)
	b.Symbol("linux_banner", b.Data(".rodata", 0x400000, 64).At(0), 64, stdelf.STT_OBJECT)
	b.Data(".BTF_ids", 0x500000, 64)
	data := b.Bytes()
	f, err := elf.NewFile(strings.NewReader(string(data)), uint64(len(data)))
	if err != nil {
		panic(err)
	}
	shoff := target.Order.Uint64(data[40:])
	for i, s := range f.Sections {
		if s.Name == ".rodata" || s.Name == ".BTF_ids" {
			target.Order.PutUint32(data[shoff+uint64(i)*64+4:], uint32(stdelf.SHT_NOBITS))
		}
	}
	return data
}

const banner61 = "Linux version 6.1.0-18-amd64 (debian-kernel@lists.debian.org) (gcc-12 (Debian 12.2.0-14) 12.2.0) #1 SMP"

func TestIdentify(t *testing.T) {
	stripped := synth.New(amd64)
	stripped.Section(".rodata", stdelf.SHT_PROGBITS, alloc, 0x400000, []byte("Linux version %s\x00"+banner61))
	for _, tt := range []struct {
		name string
		data []byte
		want Identity
	}{
		{"kernel", kernelOf(amd64, banner61), Identity{Kind: config.Kernel, Release: "6.1.0-18-amd64", Compiler: "gcc-12 (Debian 12.2.0-14) 12.2.0"}},
		{"big-endian kernel", kernelOf(s390, "Linux version 6.12.6-s390x (me@here)"), Identity{Kind: config.Kernel, Release: "6.12.6-s390x"}},
		{"32-bit kernel", kernelOf(arm32, "Linux version 6.18.0-rc3+\n"), Identity{Kind: config.Kernel, Release: "6.18.0-rc3+"}},
		{"kernel of a debug file", debugFile(amd64), Identity{Kind: config.Kernel, Hollow: true}},
		{"kernel without symbols", bytes.Replace(stripped.Bytes(), []byte(".symtab"), []byte(".gone\x00\x00"), 1), Identity{Kind: config.Kernel, Release: "6.1.0-18-amd64", Compiler: "gcc-12 (Debian 12.2.0-14) 12.2.0"}},
		{"program with such a variable", kernelOf(amd64, "hello, world"), Identity{}},
		{"program that prints versions", kernelOf(amd64, "Linux version %s"), Identity{}},
		{"program", image(t, "x86_64", nil), Identity{}},
		{"module", moduleOf(amd64, "license=GPL", "depends=", "name=tun", "vermagic=6.1.0-18-amd64 SMP preempt mod_unload modversions "),
			Identity{Kind: config.Module, Release: "6.1.0-18-amd64", Module: "tun"}},
		{"big-endian module", moduleOf(s390, "name=tun", "vermagic=6.12.6-s390x SMP"), Identity{Kind: config.Module, Release: "6.12.6-s390x", Module: "tun"}},
		{"module before it is linked a last time", moduleOf(amd64, "license=GPL"), Identity{Kind: config.Module}},
	} {
		f, err := elf.NewFile(strings.NewReader(string(tt.data)), uint64(len(tt.data)))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Identify(f); err != nil || got != tt.want {
			t.Errorf("%s: got %+v (%v), want %+v", tt.name, got, err, tt.want)
		}
	}
}

func TestIdentityChecks(t *testing.T) {
	k61, k612, user := kernelOf(amd64, banner61), kernelOf(amd64, "Linux version 6.12.6-amd64 (me@here)"), image(t, "x86_64", nil)
	tun := moduleOf(amd64, "name=tun", "vermagic=6.1.0-18-amd64 SMP")
	files := map[string][]byte{"k61": k61, "k612": k612, "user": user, "tun.ko": tun}
	for _, tt := range []struct{ name, manifest, want string }{
		{"release", "images: [{path: k61, release: 6.1.0-18-amd64}]", "k61\n"},
		{"release, with wildcards", "images: [{path: k61, release: 6.1.*}]", "k61\n"},
		{"release by the matrix", "matrix: {v: [6.1.0, 6.12.6]}\nimages: [{path: k61, name: \"n${{ matrix.v }}\", release: \"${{ matrix.v }}-*\", kind: any}]",
			"n6.1.0\nn6.12.6: release: the file has 6.1.0-18-amd64, the manifest pins 6.12.6-*\n"},
		{"release of another kernel", "images: [{path: k61, release: 6.12*}]", "k61: release: the file has 6.1.0-18-amd64, the manifest pins 6.12*\n"},
		{"release is compared whole", "images: [{path: k61, release: 6.1}]", "k61: release: the file has 6.1.0-18-amd64, the manifest pins 6.1\n"},
		{"release of a module", "images: [{path: tun.ko, name: a, release: 6.1.*}, {path: tun.ko, name: b, release: 6.12.*}]",
			"a\nb: release: the file has 6.1.0-18-amd64, the manifest pins 6.12.*\n"},
		{"release of a program", "images: [{path: user, release: \"*\", kind: any}]",
			"user: release: the image is neither a kernel (it has no linux_banner) nor a module (it has no .modinfo), the manifest pins *\n"},
		{"kinds", "images: [{path: k61, kind: kernel}, {path: tun.ko, kind: module}, {path: user, kind: any}]", "k61\ntun\nuser\n"},
		{"other kinds", "defaults: {kind: kernel}\nimages: [{path: tun.ko}, {path: user}, {path: k61, kind: module}]",
			"tun: kind: the image is a module, the manifest says kernel\n" +
				"user: kind: the image is neither a kernel (it has no linux_banner) nor a module (it has no .modinfo), the manifest says kernel\n" +
				"k61: kind: the image is a kernel, the manifest says module\n"},
	} {
		dir, _ := folder(t, tt.manifest+"\n", files)
		items := stated(t, dir, tt.manifest+"\n")
		if got := rows(dir, items); got != tt.want {
			t.Errorf("%s: got\n%swant\n%s", tt.name, got, tt.want)
		}
	}
}

// TestDoubts: an image that seems to be the wrong one has doubts with the reasons, and one that certainly is fails.
func TestDoubts(t *testing.T) {
	files := map[string][]byte{"k61": kernelOf(amd64, banner61), "k612": kernelOf(amd64, "Linux version 6.12.6-amd64 (me@here)"),
		"user": image(t, "x86_64", nil), "tun.ko": moduleOf(amd64, "name=tun", "vermagic=6.1.0-18-amd64 SMP"), "debug": debugFile(amd64),
		"main.o": objectOf(), "lib.so": libraryOf(), "bare.ko": objectOf(".gnu.linkonce.this_module"), "tun.debug": objectOf(".modinfo"),
		"vmlinux.btf": {0x9f, 0xeb, 1, 0}}
	const neither = "neither a kernel (it has no linux_banner) nor a module"
	for _, tt := range []struct {
		name, manifest string
		want           []string // part of a doubt each
	}{
		{"kernel", "images: [{path: k61}]", nil},
		{"kernel by its version", "images: [{path: k61, name: debian-6.1-amd64}]", nil},
		{"kernel by another version", "images: [{path: k61, name: debian-6.12-amd64}]", []string{"identity: its name says 6.12, but it is release 6.1.0-18-amd64"}},
		{"kernel by another version, with a pin", "images: [{path: k61, name: debian-6.12-amd64, release: 6.1.*}]", nil},
		{"kernel by another version, any kind", "images: [{path: k61, name: debian-6.12-amd64, kind: any}]", nil},
		{"program", "images: [{path: user}]", []string{"identity: it is " + neither}},
		{"object file", "images: [{path: main.o}]", []string{"identity: it is " + neither}},
		{"shared library", "images: [{path: lib.so}]", []string{"identity: it is " + neither}},
		{"module without .modinfo", "images: [{path: bare.ko}]", nil},
		{"debug file of a module", "images: [{path: tun.debug}]", nil},
		{"program that is right", "images: [{path: user, kind: any}]", nil},
		{"module", "images: [{path: tun.ko, base: k61}, {path: k61}]", nil},
		{"module on another kernel", "images: [{path: tun.ko, base: k612}, {path: k612}]", []string{"identity: it is for release 6.1.0-18-amd64, but its base is release 6.12.6-amd64"}},
		{"module on another kernel's file", "images: [{path: tun.ko, base_path: k612}]", []string{"identity: it is for release 6.1.0-18-amd64, but its base is release 6.12.6-amd64"}},
		{"module on raw BTF", "images: [{path: tun.ko, base_path: vmlinux.btf}]", nil},
		{"module on a module", "images: [{path: tun.ko, base_path: tun.ko}]", []string{"identity: its base is a module"}},
		{"kernel on a kernel", "images: [{path: k61, base_path: k61}]", []string{"identity: it is a kernel, but it has a base"}},
		{"debug file", "images: [{path: debug}]", []string{"kfuncs"}},
	} {
		dir, _ := folder(t, tt.manifest+"\n", files)
		items := stated(t, dir, tt.manifest+"\n")
		var got []string
		for _, it := range items {
			if it.Err != nil { // what is wrong is an error, and nobody has to read the doubts
				if !errors.Is(it.Err, ErrMismatch) {
					t.Errorf("%s: %v", tt.name, it.Err)
				}
				got = append(got, it.Err.Error())
				continue
			}
			got = append(got, it.Doubts...)
		}
		if len(got) != len(tt.want) || !slices.EqualFunc(got, tt.want, strings.Contains) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestMistaken: a file that is neither a kernel nor a module fails, unless the manifest allows it. Outside of manifests, it is a doubt.
func TestMistaken(t *testing.T) {
	f := File{identified: true, Path: "user"}
	const neither = "it is neither a kernel (it has no linux_banner) nor a module (it has no .modinfo); "
	if err := f.Mistaken(Use{Manifest: true}); err == nil || err.Error() != "identity: "+neither+"if that is intended, write kind: any in the manifest" {
		t.Errorf("got %v", err)
	}
	if got := f.Doubts(Use{}); len(got) != 1 || !strings.HasPrefix(got[0], neither) || f.Mistaken(Use{}) != nil {
		t.Errorf("got %q, %v", got, f.Mistaken(Use{}))
	}
	f.Pins.Kind = config.AnyKind
	if err := f.Mistaken(Use{Manifest: true}); err != nil {
		t.Errorf("of any kind: got %v", err)
	}
}

func TestCompiler(t *testing.T) {
	for banner, want := range map[string]string{
		"6.1.0 (me@here) (gcc-12 (Debian 12.2.0-14) 12.2.0, GNU ld (GNU Binutils for Debian) 2.40) #1 SMP": "gcc-12 (Debian 12.2.0-14) 12.2.0",
		"6.12.0 (me@here) (clang version 19.1.4, LLD 19.1.4) #1":                                           "clang version 19.1.4",
		"4.19.0 (me@here) (gcc version 8.3.0 (Debian 8.3.0-6)) #1 SMP":                                     "gcc version 8.3.0 (Debian 8.3.0-6)",
		"6.1.0 (me@here) #1 SMP (a) (b)":                                                                   "b",
		"6.1.0 (me@here) (gcc-12 (Debian":                                                                  "",
		"6.1.0 (me@here) (gcc\x1b[31m, GNU ld) #1 SMP":                                                     "",
		"6.1.0": "",
	} {
		if got, ok := parseBanner([]byte(bannerStart + banner + "\n\x00")); got.compiler != want || !ok {
			t.Errorf("%s: got %q, %v, want %q", banner, got.compiler, ok, want)
		}
	}
}

func TestOtherRelease(t *testing.T) {
	for _, tt := range []struct{ name, release, want string }{
		{"debian-6.12-arm64", "6.12.6-arm64", ""},
		{"debian-6.1-arm64", "6.12.6-arm64", "6.1"},
		{"debian-6.12-arm64", "6.1.0-18-arm64", "6.12"},
		{"6.1.0-18-amd64", "6.1.0-18-amd64", ""},
		{"v6.1.55", "6.1.56", "6.1.55"},
		{"vmlinux-6.18.0-rc3", "6.18-rc3", ""},
		{"ubuntu-24.04-6.8.0-31-generic", "6.8.0-31-generic", ""},
		{"ubuntu-24.04", "6.8.0-31-generic", ""},
		{"rhel-7.9", "3.10.0-1160.el7.x86_64", ""},
		{"rhel7.9", "3.10.0-1160.el7.x86_64", ""},
		{"debian-12.5", "6.1.0-18-amd64", ""},
		{"gcc-6.3/tun", "6.1.0-18-amd64", ""},
		{"6.12/tun", "6.1.0-18-amd64", "6.12"},
		{"from-5.10-to-6.1", "6.1.0", ""},
		{"x86_64", "6.1.0", ""},
		{"vmlinux", "6.1.0", ""},
		{"debian-6.12", "", ""},
	} {
		if got := otherRelease(tt.name, tt.release); got != tt.want {
			t.Errorf("%s of %s: got %q, want %q", tt.name, tt.release, got, tt.want)
		}
	}
}

// TestKernelSaysItsRelease: real kernels are identified, with their release.
func TestKernelSaysItsRelease(t *testing.T) {
	for _, tt := range []struct{ kernel, want string }{{"6.1-cloud-amd64", "6.1.0-"}, {"6.12-cloud-amd64", "6.12."}, {"6.1-s390x", "6.1.0-"}} {
		f, err := elf.Open(peer.Kernel(t, tt.kernel))
		if err != nil {
			t.Fatal(err)
		}
		id, err := Identify(f)
		f.Close()
		if err != nil || id.Kind != config.Kernel || !strings.HasPrefix(id.Release, tt.want) {
			t.Errorf("%s: got %+v, %v", tt.kernel, id, err)
		}
		if got := otherRelease(filepath.Base(tt.kernel), id.Release); got != "" {
			t.Errorf("%s: got the other release %s", tt.kernel, got)
		}
	}
}
