package input

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// A Kind says what the contents of a file are, in words that can follow "is" or "but".
type Kind string

// Kinds that callers tell apart.
const (
	Empty Kind = "an empty file"
	ELF   Kind = "an ELF file"
	BTF   Kind = "raw BTF"
	Dump  Kind = "a raw dump of BTF"
	// Dense is the form of package golden/dense.
	Dense Kind = "a dense golden"
	// Selected is the text of package golden/selected.
	Selected Kind = "a golden of selected declarations"
	Text     Kind = "text"
	CSource  Kind = "C source"

	Manifest   Kind = "a manifest"
	Exceptions Kind = "a list of exceptions"       // only a wanted kind: it is never recognised
	Names      Kind = "a plan or a list of images" // only a wanted kind
	Images     Kind = "a list of images in JSON"   // only a wanted kind
	Report     Kind = "a report in JSON"           // only a wanted kind
	Unknown    Kind = "unknown data"

	// Deb and RPM are packages of distributions, which package corpus/source reads.
	Deb Kind = "a Debian package (.deb or .ddeb)"
	RPM Kind = "an RPM package"
)

// Kinds that occur in messages only.
const (
	jsonText Kind = "JSON"
	htmlText Kind = "an HTML page"
	lfsText  Kind = "a Git LFS pointer"
	script   Kind = "a script"
	symbols  Kind = "a list of symbols, such as System.map"
	zeros    Kind = "a file of zeros"

	dosProgram Kind = "a DOS or Windows program"
	peFile     Kind = "a PE file (a Windows or EFI program)"
)

const elfMagic = "\x7fELF"

// A group of kinds has one remedy.
type group uint8

const (
	other   group = iota
	boot          // a bootable kernel image
	packet        // a package of a distribution
	archive       // several files in one
	packed        // compressed in a format that is not supported
	foreign       // compiled code that is not ELF
	disk          // a file system or a disk
	dumped        // the memory of a system
)

// remedies say what to do if an ELF image is wanted.
var remedies = [...]string{
	boot:    "it has no DWARF; give the vmlinux of the build folder or of the distribution's debug package (-dbg, -dbgsym, -debuginfo)",
	packet:  "unpack it, and give the vmlinux or the modules inside",
	archive: "unpack it, and give one of its files",
	packed:  "decompress it first; gzip, zstd, xz and bzip2 are read as they are",
	foreign: "images are ELF files of Linux",
	disk:    "extract a file from it, and give that",
	dumped:  "give the vmlinux of that kernel",
}

// A signature is a magic number.
type signature struct {
	off   int
	magic string
	kind  Kind
	group group
}

// Kernels as they boot whose BTF can be read: see bootFormats.
const (
	bzImage        Kind = "a bzImage (an x86 kernel as it boots)"
	zboot          Kind = "an EFI zboot image (a compressed kernel as it boots)"
	imageARM64     Kind = "an Image (an arm64 kernel as it boots)"
	imageRISCV     Kind = "an Image (a RISC-V kernel as it boots)"
	imageLoongArch Kind = "an Image (a LoongArch kernel as it boots)"
)

// signatures are compared in this order. The order matters: a kernel may also be an EFI program.
var signatures = []signature{
	{0x202, "HdrS", bzImage, boot},
	{0x04, "zimg", zboot, boot}, // its header has the magic number of LoongArch, on all architectures
	{0x38, "ARM\x64", imageARM64, boot},
	{0x38, "RSC\x05", imageRISCV, boot},
	{0x30, "RISCV\x00\x00\x00", imageRISCV, boot}, // an older one
	{0x38, "\xcd\x23\x82\x81", imageLoongArch, boot},
	{0x24, "\x18\x28\x6f\x01", "a zImage (an arm kernel as it boots)", boot},
	{0x24, "\x01\x6f\x28\x18", "a zImage (an arm kernel as it boots)", boot},
	{0, "\x27\x05\x19\x56", "a uImage (a kernel as U-Boot starts it)", boot},
	{0, "\xd0\x0d\xfe\xed", "a FIT image or device tree", boot},
	{0, "ANDROID!", "an Android boot image", boot},
	{0, "\x02\x00\x00\x18\x60\x00\x00\x50", "an s390 kernel as it boots", boot},
	{0, "\xed\xab\xee\xdb", RPM, packet},
	{8, "debian-binary", Deb, packet},
	{0, "!<arch>\n", "an ar archive (a static library)", archive},
	{0, "!<thin>\n", "a thin ar archive", archive},
	{0, "070701", "a cpio archive (an initramfs)", archive},
	{0, "070702", "a cpio archive (an initramfs)", archive},
	{0, "070707", "a cpio archive", archive},
	{0, "PK\x03\x04", "a zip archive", archive},
	{0, "PK\x05\x06", "a zip archive", archive},
	{0, "7z\xbc\xaf\x27\x1c", "a 7z archive", archive},
	{0, "Rar!", "a RAR archive", archive},
	{0, "xar!", "a xar archive", archive},
	{0, "\x04\x22\x4d\x18", "compressed by lz4", packed},
	{0, "\x02\x21\x4c\x18", "compressed by lz4", packed},
	{0, "\x89LZO\x00\x0d\x0a\x1a\x0a", "compressed by lzop", packed},
	{0, "LZIP", "compressed by lzip", packed},
	{0, "\x5d\x00\x00\x00", "compressed by lzma", packed},
	{0, "\x5d\x00\x00\x80", "compressed by lzma", packed},
	{0, "\x1f\x9d", "compressed by compress (.Z)", packed},
	{0, "\x1f\xa0", "compressed by compress (.Z)", packed},
	{0, "\xfe\xed\xfa\xce", "a Mach-O file", foreign},
	{0, "\xfe\xed\xfa\xcf", "a Mach-O file", foreign},
	{0, "\xce\xfa\xed\xfe", "a Mach-O file", foreign},
	{0, "\xcf\xfa\xed\xfe", "a Mach-O file", foreign},
	{0, "\xca\xfe\xba\xbe", "a Mach-O file for several architectures, or a Java class", foreign},
	{0, "BC\xc0\xde", "LLVM bitcode", foreign},
	{0, "\xde\xc0\x17\x0b", "LLVM bitcode", foreign},
	{0, "\x00asm", "a WebAssembly module", foreign},
	{0, "dex\n", "an Android DEX file", foreign},
	{0, "hsqs", "a squashfs file system", disk},
	{0, "sqsh", "a squashfs file system", disk},
	{0, "QFI\xfb", "a qcow2 disk", disk},
	{0, "KDMV", "a VMDK disk", disk},
	{0x438, "\x53\xef", "an ext file system", disk},
	{0x8001, "CD001", "an ISO 9660 file system", disk},
	{0, "KDUMP   ", "a kernel dump (kdump)", dumped},
	{0, "DISKDUMP", "a kernel dump (diskdump)", dumped},
	{0, "EMiL", "a memory dump (LiME)", dumped},
	{0, "MDMP", "a Windows minidump", dumped},
	{0, "\xf2\xdf", "CTF, not BTF,", other},
	{0, "SQLite format 3", "an SQLite database", other},
	{0, "%PDF-", "a PDF document", other},
	{0, "\x89PNG", "a PNG picture", other},
}

// Recognise returns the kind of contents by their first bytes. It uses up to 64 KiB of them.
func Recognise(head []byte) Kind {
	has := func(off int, magic string) bool {
		return len(head) >= off && bytes.HasPrefix(head[off:], []byte(magic))
	}
	switch {
	case len(head) == 0:
		return Empty
	case has(0, elfMagic):
		return ELF
	case has(0, "# btfbatch-dense "):
		return Dense
	case has(0, "\x9f\xeb"), has(0, "\xeb\x9f"):
		return BTF
	}
	if s := find(head); s != nil {
		return s.kind
	}
	if has(0, "MZ") && len(head) >= 0x40 {
		if at := uint64(binary.LittleEndian.Uint32(head[0x3c:])); at < uint64(len(head)) && has(int(at), "PE\x00\x00") {
			return peFile
		}
		return dosProgram
	}
	if text, ok := text(head); ok {
		return text
	}
	if len(bytes.Trim(head, "\x00")) == 0 {
		return zeros
	}
	return Unknown
}

func find(head []byte) *signature {
	for i := range signatures {
		s := &signatures[i]
		if len(head) >= s.off && bytes.HasPrefix(head[s.off:], []byte(s.magic)) {
			return s
		}
	}
	return nil
}

// binary reports whether contents of the kind are certainly not text, not even damaged text.
func (k Kind) binary() bool {
	return k == ELF || k == BTF || k == Dense || k == dosProgram || k == peFile ||
		slices.ContainsFunc(signatures, func(s signature) bool { return s.kind == k })
}

// text returns the kind of a text. Contents that are not valid UTF-8, or have control characters, are not text.
func text(head []byte) (Kind, bool) {
	b := bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	for rest := b; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		switch {
		case r == utf8.RuneError && n == 1 && utf8.FullRune(rest): // otherwise the last character is cut
			return "", false
		case r < ' ' && r != '\n' && r != '\t' && r != '\r' && r != '\f' && r != '\v' && r != '\b' && r != 0x1b:
			return "", false
		}
		rest = rest[n:]
	}
	s := strings.TrimSpace(string(b[:min(len(b), 4096)]))
	lower := strings.ToLower(s)
	lines := "\n" + s
	switch {
	case isDump(s):
		return Dump, true
	case strings.HasPrefix(s, "# btfbatch-golden "):
		return Selected, true
	case strings.HasPrefix(s, "{"), strings.HasPrefix(s, "["):
		return jsonText, true
	case strings.HasPrefix(lower, "<!doctype html"), strings.HasPrefix(lower, "<html"):
		return htmlText, true
	case strings.HasPrefix(s, "version https://git-lfs"):
		return lfsText, true
	case strings.HasPrefix(s, "#!"):
		return script, true
	case strings.Contains(lines, "\n#include"), strings.Contains(lines, "\n#define"), strings.Contains(lines, "\n#ifndef"),
		strings.Contains(lines, "\nstruct "), strings.Contains(lines, "\nstatic "), strings.Contains(lines, "\nint "),
		strings.Contains(lines, "\ntypedef "), strings.Contains(lines, "\nvoid "), strings.HasPrefix(s, "/*"), strings.HasPrefix(s, "//"):
		return CSource, true
	case strings.Contains(lines, "\nversion: 1") && hasImages(string(b)):
		return Manifest, true
	case isSymbolList(s):
		return symbols, true
	}
	return Text, true
}

// hasImages reports whether a text has a key that says where a manifest has its images.
func hasImages(text string) bool {
	return strings.Contains(text, "\nimages:") || strings.Contains(text, "\nimages_from:") || strings.Contains(text, "\ninclude:")
}

// isDump reports whether a text begins like a raw dump: [1] INT 'int' ..., perhaps after a comment with its dialect.
func isDump(s string) bool {
	if rest, ok := strings.CutPrefix(s, "# dialect "); ok {
		_, s, _ = strings.Cut(rest, "\n")
	}
	rest := strings.TrimLeft(strings.TrimPrefix(s, "["), "0123456789")
	return strings.HasPrefix(s, "[") && len(rest) > 2 && len(rest) < len(s)-1 && rest[0] == ']' && rest[1] == ' ' && rest[2] >= 'A' && rest[2] <= 'Z'
}

// isSymbolList reports whether a text begins with an address, a letter and a name.
func isSymbolList(s string) bool {
	line, _, _ := strings.Cut(s, "\n")
	words := strings.Fields(line)
	return len(words) >= 3 && len(words[0]) >= 8 && strings.Trim(words[0], "0123456789abcdefABCDEF") == "" && len(words[1]) == 1
}

// A KindError says that contents are not of the wanted kind, and what to do.
type KindError struct {
	Want, Found Kind
	Packed      string // see File
	head        []byte
}

func (e *KindError) Error() string {
	in := ""
	if e.Packed != "" {
		in = "in " + e.Packed + " data: "
	}
	found := string(e.Found)
	if e.Found == Unknown {
		found = fmt.Sprintf("data that begins with % x", e.head)
	}
	return fmt.Sprintf("%snot %s but %s: %s", in, e.Want, found, e.Remedy())
}

// Remedy returns a sentence about what to do.
func (e *KindError) Remedy() string {
	if r, ok := special[e.Found]; ok {
		return r
	}
	if from, ok := map[Kind]string{Deb: "deb", RPM: "rpm"}[e.Found]; ok && e.Want == ELF {
		return "btfbatch encode takes a file out of it with --from " + from + "=PACKAGE; otherwise " + remedies[packet]
	}
	if e.Found == ELF && e.Want == Dump {
		return "give the text that btfbatch dump prints for it"
	}
	for i := range signatures {
		if s := &signatures[i]; s.kind == e.Found && (e.Want == ELF || s.group == packed || s.group == packet || s.group == archive) && remedies[s.group] != "" {
			return remedies[s.group]
		}
	}
	if e.Want == BTF && isBootKind(e.Found) {
		return "its BTF cannot be taken out; give raw BTF, such as /sys/kernel/btf/vmlinux of a system that runs it, or encode the vmlinux of its debug package"
	}
	switch {
	case e.Want == Manifest && e.Found == ELF:
		return "btfbatch encode takes one image; a manifest lists it under images"
	case e.Want == Images:
		return "give JSON, an object for each image"
	case e.Want == Manifest, e.Want == Exceptions:
		return "give the YAML file"
	case e.Want == ELF && e.Found == BTF:
		return "it is already encoded; dump, verify and diff read it, and --base takes it"
	case e.Want == ELF && e.Found == CSource:
		return "compile it with -g, and give the object file"
	case e.Want == ELF:
		return "give a vmlinux or a module with DWARF"
	case e.Want == BTF && e.Found == Dump:
		return "diff reads it; everything else takes raw BTF, or an ELF file with a section .BTF"
	case e.Want == Dump && e.Found == BTF:
		return "give the text that btfbatch dump prints for it"
	case e.Found == Dense:
		return "diff and dump read it, and runs with policy: exact or semantic; everything else takes BTF itself"
	case e.Found == Selected:
		return "diff reads it, and runs with policy: selected; everything else takes BTF itself"
	case e.Want == Dump:
		return "give text that btfbatch dump printed"
	}
	return "give raw BTF, or an ELF file with a section .BTF"
}

// isBootKind reports whether contents are a bootable kernel image.
func isBootKind(k Kind) bool {
	return slices.ContainsFunc(signatures, func(s signature) bool { return s.kind == k && s.group == boot })
}

// special are remedies that do not depend on what is wanted.
var special = map[Kind]string{
	Empty:    "it was not completely written or downloaded",
	zeros:    "it was not completely written or downloaded",
	htmlText: "the server sent a web page instead of the file; download it again",
	lfsText:  "fetch the file itself with git lfs pull",
	Manifest: "give it to btfbatch run",
}
