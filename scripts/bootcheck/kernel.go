package main

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// A kernel is the loadable part of a vmlinux, which is all that a boot needs. Debug information and section headers, nine tenths
// of the file, come after it.
type kernel struct {
	image     []byte
	btf, ids  []byte // windows into image
	idsAddr   uint64
	idSymbols []elf.Symbol // those that name a place in ids
}

// idPrefix is the prefix of symbols that name the places of type ids.
const idPrefix = "__BTF_ID__"

func openKernel(path string) (*kernel, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	e, err := elf.NewFile(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	k, err := newKernel(f, e)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return k, nil
}

func newKernel(r io.ReaderAt, e *elf.File) (*kernel, error) {
	if e.Machine != elf.EM_X86_64 || e.Type != elf.ET_EXEC {
		return nil, fmt.Errorf("%s, %s, is not an x86-64 vmlinux", e.Machine, e.Type)
	}
	end := uint64(0)
	for _, p := range e.Progs {
		if p.Type == elf.PT_LOAD || p.Type == elf.PT_NOTE {
			end = max(end, p.Off+p.Filesz)
		}
	}
	const limit = 1 << 30
	if end == 0 || end > limit {
		return nil, fmt.Errorf("a loadable part of %d bytes is not that of a kernel", end)
	}
	k := &kernel{image: make([]byte, end)}
	if _, err := r.ReadAt(k.image, 0); err != nil {
		return nil, fmt.Errorf("loadable part: %w", err)
	}
	index := map[string]int{}
	for i, s := range e.Sections {
		if s.Name == btf.SectionBTF || s.Name == btf.SectionIDs {
			if s.Offset > end || s.Size > end-s.Offset {
				return nil, fmt.Errorf("section %s is not in the loadable part", s.Name)
			}
			index[s.Name] = i
		}
	}
	window := func(name string) ([]byte, error) {
		i, ok := index[name]
		if !ok {
			return nil, fmt.Errorf("there is no section %s", name)
		}
		s := e.Sections[i]
		return k.image[s.Offset:][:s.Size:s.Size], nil
	}
	var err error
	if k.btf, err = window(btf.SectionBTF); err != nil {
		return nil, err
	}
	if k.ids, err = window(btf.SectionIDs); err != nil {
		return nil, err
	}
	k.idsAddr = e.Sections[index[btf.SectionIDs]].Addr
	symbols, err := e.Symbols()
	if err != nil {
		return nil, err
	}
	for _, s := range symbols {
		if int(s.Section) == index[btf.SectionIDs] && strings.HasPrefix(s.Name, idPrefix) {
			k.idSymbols = append(k.idSymbols, s)
		}
	}
	return k, nil
}

// wanted returns the functions that the kernel's ids or the guest's programs refer to.
func (k *kernel) wanted() map[string]bool {
	names := map[string]bool{"vfs_read": true, "schedule": true}
	for _, s := range k.idSymbols {
		if name, ok := strings.CutPrefix(s.Name, idPrefix+"func__"); ok {
			names[name[:max(0, strings.LastIndex(name, "__"))]] = true
		}
	}
	return names
}

// An injection describes the changes to an image.
type injection struct {
	blob       []byte // what the kernel will serve
	room, size int    // bytes of the section, and of the BTF before it was padded
	ids, sets  int
	missing    []string // types of ids that the new BTF lacks
	types      int
}

func (i *injection) String() string {
	text := fmt.Sprintf("%d types, %d bytes in a section of %d; %d ids in %d sets translated", i.types, i.size, i.room, i.ids, i.sets)
	if len(i.missing) > 0 {
		text += fmt.Sprintf("; %d have no type now: %s", len(i.missing), strings.Join(i.missing, ", "))
	}
	return text
}

// inject replaces the kernel's BTF and the type ids in .BTF_ids.
func (k *kernel) inject(blob []byte) (*injection, error) {
	was, err := btf.Parse(append([]byte(nil), k.btf...), nil)
	if err != nil {
		return nil, fmt.Errorf("the kernel's BTF: %w", err)
	}
	now, err := btf.Parse(blob, nil)
	if err != nil {
		return nil, err
	}
	padded, err := pad(blob, len(k.btf))
	if err != nil {
		return nil, err
	}
	done := &injection{blob: padded, room: len(k.btf), size: len(blob), types: now.Len()}
	if err := k.translate(was, now, done); err != nil {
		return nil, err
	}
	copy(k.btf, padded)
	k.dropSections()
	return done, nil
}

// errTooLong is returned if the BTF cannot be tried, because the length of the section is compiled into the kernel's code.
var errTooLong = errors.New("the BTF does not fit into the kernel's section")

// pad makes a blob as long as the section. Every kernel accepts additional zeros after the last string. No kernel accepts additional
// bytes after the last section.
func pad(blob []byte, size int) ([]byte, error) {
	const atStrings = 16 // offset and length of the strings in the header
	n := size - len(blob)
	switch {
	case n < 0:
		return nil, fmt.Errorf("%w: it is %d bytes longer than the section, which has %d bytes; try --trim", errTooLong, -n, size)
	case len(blob) < btf.HeaderLen || blob[0] != btf.Magic&0xff:
		return nil, errors.New("not little-endian BTF")
	}
	le := binary.LittleEndian
	length := le.Uint32(blob[atStrings+4:])
	if end := uint64(le.Uint32(blob[4:])) + uint64(le.Uint32(blob[atStrings:])) + uint64(length); n > 0 && end != uint64(len(blob)) {
		return nil, errors.New("the BTF cannot be padded, because the string section is not its last section")
	}
	out := append(blob[:len(blob):len(blob)], make([]byte, n)...)
	le.PutUint32(out[atStrings+4:], length+uint32(n))
	return out, nil
}

// dropSections removes the section headers from the ELF header, because the loadable part does not contain them.
func (k *kernel) dropSections() {
	const shoff, shentsize, shnum, shstrndx = 40, 58, 60, 62
	le := binary.LittleEndian
	le.PutUint64(k.image[shoff:], 0)
	for _, at := range []int{shentsize, shnum, shstrndx} {
		le.PutUint16(k.image[at:], 0)
	}
}
