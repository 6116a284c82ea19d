package config

import (
	"debug/elf"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// An Arch describes the ELF header of an architecture.
type Arch struct {
	Name    string
	Machine elf.Machine
	Class   elf.Class
	Data    elf.Data
}

// arches lists the architectures that a manifest can name.
var arches = []Arch{
	{"x86_64", elf.EM_X86_64, elf.ELFCLASS64, elf.ELFDATA2LSB},
	{"i386", elf.EM_386, elf.ELFCLASS32, elf.ELFDATA2LSB},
	{"arm64", elf.EM_AARCH64, elf.ELFCLASS64, elf.ELFDATA2LSB},
	{"arm", elf.EM_ARM, elf.ELFCLASS32, elf.ELFDATA2LSB},
	{"s390x", elf.EM_S390, elf.ELFCLASS64, elf.ELFDATA2MSB},
	{"ppc64le", elf.EM_PPC64, elf.ELFCLASS64, elf.ELFDATA2LSB},
	{"ppc64", elf.EM_PPC64, elf.ELFCLASS64, elf.ELFDATA2MSB},
	{"riscv64", elf.EM_RISCV, elf.ELFCLASS64, elf.ELFDATA2LSB},
	{"riscv32", elf.EM_RISCV, elf.ELFCLASS32, elf.ELFDATA2LSB},
	{"mips64", elf.EM_MIPS, elf.ELFCLASS64, elf.ELFDATA2MSB},
	{"mips64el", elf.EM_MIPS, elf.ELFCLASS64, elf.ELFDATA2LSB},
	{"mips", elf.EM_MIPS, elf.ELFCLASS32, elf.ELFDATA2MSB},
	{"mipsel", elf.EM_MIPS, elf.ELFCLASS32, elf.ELFDATA2LSB},
	{"loongarch64", elf.EM_LOONGARCH, elf.ELFCLASS64, elf.ELFDATA2LSB},
	{"ppc", elf.EM_PPC, elf.ELFCLASS32, elf.ELFDATA2MSB},
	{"sparc64", elf.EM_SPARCV9, elf.ELFCLASS64, elf.ELFDATA2MSB},
	{"alpha", elf.EM_ALPHA, elf.ELFCLASS64, elf.ELFDATA2LSB},
	{"m68k", elf.EM_68K, elf.ELFCLASS32, elf.ELFDATA2MSB},
	{"hppa", elf.EM_PARISC, elf.ELFCLASS32, elf.ELFDATA2MSB},
	{"hppa64", elf.EM_PARISC, elf.ELFCLASS64, elf.ELFDATA2MSB},
	{"sh4", elf.EM_SH, elf.ELFCLASS32, elf.ELFDATA2LSB},
	{"arc", elf.EM_ARC_COMPACT2, elf.ELFCLASS32, elf.ELFDATA2LSB},
}

// aliases are other names that distributions, Go and uname use.
var aliases = map[string]string{
	"amd64": "x86_64", "x86-64": "x86_64",
	"x86": "i386", "386": "i386", "i586": "i386", "i686": "i386",
	"aarch64": "arm64",
	"armhf":   "arm", "armel": "arm", "armv7l": "arm",
	"ppc64el": "ppc64le", "mips64le": "mips64el", "mipsle": "mipsel",
	"loong64": "loongarch64",
	"powerpc": "ppc", "parisc": "hppa", "parisc64": "hppa64",
}

// ArchNames lists the names of the architectures, without aliases.
func ArchNames() []string {
	names := make([]string, len(arches))
	for i, a := range arches {
		names[i] = a.Name
	}
	return names
}

// archWords lists the names of the architectures, and then their aliases.
func archWords() []string { return append(ArchNames(), slices.Sorted(maps.Keys(aliases))...) }

// ArchByName finds an architecture by its name or an alias, ignoring case.
func ArchByName(name string) (Arch, bool) {
	name = strings.ToLower(name)
	if full, ok := aliases[name]; ok {
		name = full
	}
	for _, a := range arches {
		if a.Name == name {
			return a, true
		}
	}
	return Arch{}, false
}

// ArchOf returns the name of the architecture of an ELF header, or a description if a manifest cannot name it.
func ArchOf(m elf.Machine, c elf.Class, d elf.Data) Arch {
	for _, a := range arches {
		if a.Machine == m && a.Class == c && a.Data == d {
			return a
		}
	}
	return Arch{fmt.Sprintf("%v/%v/%v", m, c, d), m, c, d}
}
