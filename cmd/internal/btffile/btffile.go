// Package btffile reads BTF from a raw file, from the sections of an ELF file, or from a raw dump.
//
// Input: paths. Output: bytes, for the verifier, or BTF objects. Package input recognises the kind of a file and its compression. Never:
// the package checks no types and writes nothing.
package btffile

import (
	stdelf "debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/distill"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/input"
)

// Errors about a base that callers distinguish.
var (
	// ErrSplit is the error of split BTF that is read without a base.
	ErrSplit = errors.New("split BTF: give --base, the BTF of the kernel that it belongs to")
	// ErrSplitBase is the error of a base that is itself split.
	ErrSplitBase = errors.New("split BTF, such as that of a module, cannot be a base: give the BTF of the kernel")
	// ErrWhole is the error of BTF that is not split and is read with a base, which would change the meaning of its type ids.
	ErrWhole = errors.New("the BTF is not split, so it has no base: leave --base out")
)

var errNoBTF = errors.New("there is no section .BTF; btfbatch encode creates BTF from the DWARF of an image")

// An Opener opens the file at a path, which must be of one of the given kinds. input.Open is one.
type Opener func(path string, want ...input.Kind) (*input.File, error)

// Openers open the files of a command.
type Openers struct {
	File Opener // what is read
	Base Opener // the bases of that
}

// Paths opens plain files.
var Paths = Openers{input.Open, input.Open}

// A File holds the BTF of a file.
type File struct {
	BTF       []byte
	Distilled []byte // the contents of .BTF.base, nil if there is none

	// From the header of the ELF file; zero for raw BTF.
	Order   binary.ByteOrder
	Machine stdelf.Machine
	PtrSize int
	PerCPU  bool // the ELF file has per-CPU variables, like a kernel for several processors
}

// Read reads raw BTF or the BTF sections of an ELF file, plain or compressed.
func Read(open Opener, path string) (*File, error) { return read(open, path, input.BTF, input.ELF) }

// ReadAny reads a file as Read does. A file of an unknown kind is read as raw BTF, so that the verifier reports what is wrong with it.
func ReadAny(open Opener, path string) (*File, error) {
	return read(open, path, input.BTF, input.ELF, input.Empty, input.Unknown)
}

func read(open Opener, path string, want ...input.Kind) (*File, error) {
	in, err := open(path, want...)
	if err != nil {
		return nil, input.Named(path, err)
	}
	defer in.Close()
	f, err := From(in)
	return f, input.Named(path, err)
}

// From reads an open file. If it is not an ELF file, it is read as raw BTF. A file that changes while it is read is an error.
func From(in *input.File) (*File, error) {
	f, err := readInput(in)
	if err != nil {
		return nil, err
	}
	return f, in.Unchanged()
}

func readInput(in *input.File) (*File, error) {
	if in.Kind != input.ELF {
		data, err := in.Bytes()
		return &File{BTF: data}, err
	}
	e, err := elf.FromInput(in)
	if err != nil {
		return nil, err
	}
	f, err := FromELF(e)
	if errors.Is(err, errNoBTF) {
		err = noBTF(in)
	}
	return f, err
}

// noBTF returns the error for an ELF file without BTF.
func noBTF(in *input.File) error {
	if strings.HasPrefix(in.Packed, "bzImage") {
		return errors.New("the kernel in this bzImage has no BTF: it was built without CONFIG_DEBUG_INFO_BTF")
	}
	return errNoBTF
}

// FromELF reads the sections of an ELF file that is open. It does not check for changes of the file.
func FromELF(e *elf.File) (*File, error) {
	var err error
	f := &File{Order: e.Order, Machine: e.Machine, PtrSize: e.AddrSize()}
	if s := e.Section(btf.SectionPerCPU); s != nil {
		f.PerCPU = s.Size > 0
	}
	if f.BTF, err = section(e, btf.SectionBTF); err == nil && f.BTF == nil {
		err = errNoBTF
	}
	if err == nil {
		f.Distilled, err = section(e, btf.SectionBase)
	}
	return f, err
}

// Alone returns ErrSplit if the BTF is split and the file does not contain its base.
func (f *File) Alone() error {
	if f.Distilled == nil && btf.IsSplit(f.BTF) {
		return ErrSplit
	}
	return nil
}

func section(f *elf.File, name string) ([]byte, error) {
	s := f.Section(name)
	if s == nil || !s.HasData() {
		return nil, nil
	}
	return f.Data(s)
}

// Base reads the base of split BTF. Several goroutines may use it concurrently.
func Base(open Opener, path string) (*btf.Object, []byte, error) {
	in, err := Open(open, path)
	if err != nil {
		return nil, nil, err
	}
	defer in.Close()
	return BaseFrom(in, path)
}

// A View is BTF without a base, of which a part is read and nothing is changed. Its references are not checked. It is valid until the file is
// closed; see input.File.Mapped for what the caller must do if the file could change.
type View struct {
	Object  *btf.Object
	PtrSize int // in bytes, from the header of the ELF file; 0 for raw BTF
	In      *input.File
}

// OpenView opens the BTF of a file, which must not be split.
func OpenView(path string) (*View, error) { return openView(path, btf.View) }

// openView opens a View. parse parses the BTF.
func openView(path string, parse func(data []byte) (*btf.Object, error)) (*View, error) {
	in, err := Open(input.OpenUnread, path)
	if err != nil {
		return nil, err
	}
	v := &View{In: in}
	if err := in.Guarded(func() error { return v.read(parse) }); err != nil {
		in.Close()
		return nil, input.Named(path, err)
	}
	return v, nil
}

// LazyBase is Base for a single module: see btf.Skim. The references of the base are not checked: see encoder.NewLazyBase. The file is that of a
// View.
func LazyBase(path string) (*btf.Object, *input.File, error) {
	v, err := openView(path, btf.Skim)
	if err != nil {
		return nil, nil, err
	}
	return v.Object, v.In, nil
}

// read parses the BTF, in View.In.Guarded.
func (v *View) read(parse func(data []byte) (*btf.Object, error)) error {
	data, err := v.mapped()
	if err == nil && btf.IsSplit(data) {
		err = ErrSplitBase
	}
	if err == nil {
		v.Object, err = parse(data)
	}
	return err
}

// mapped returns the BTF of the file.
func (v *View) mapped() ([]byte, error) {
	if v.In.Kind != input.ELF {
		return v.In.Mapped(0, v.In.Size)
	}
	e, err := elf.FromInput(v.In)
	if err != nil {
		return nil, err
	}
	v.PtrSize = e.AddrSize()
	s := e.Section(btf.SectionBTF)
	switch {
	case s == nil || !s.HasData():
		return nil, noBTF(v.In)
	case e.Section(btf.SectionBase) != nil:
		return nil, ErrSplitBase
	}
	return e.Mapped(s)
}

// Open opens a file that may hold BTF: raw BTF, or an ELF file. Errors name the path.
func Open(open Opener, path string) (*input.File, error) {
	in, err := open(path, input.BTF, input.ELF)
	return in, input.Named(path, err)
}

// BaseFrom is Base for an open file with that path.
func BaseFrom(in *input.File, path string) (*btf.Object, []byte, error) {
	return parsedFrom(in, path, Parse)
}

// BaseOnceFrom is BaseFrom for a base that is used once. It is checked in full, like any other, and its strings are indexed if that is needed.
func BaseOnceFrom(in *input.File, path string) (*btf.Object, []byte, error) {
	return parsedFrom(in, path, ParseOnce)
}

func parsedFrom(in *input.File, path string, parse func(data []byte) (*btf.Object, error)) (*btf.Object, []byte, error) {
	f, err := baseFrom(in, path)
	if err != nil {
		return nil, nil, err
	}
	o, err := parse(f.BTF)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return o, f.BTF, nil
}

// ReadBase reads a file as Read does, and checks that the BTF is not split.
func ReadBase(open Opener, path string) (*File, error) {
	in, err := Open(open, path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return baseFrom(in, path)
}

func baseFrom(in *input.File, path string) (*File, error) {
	f, err := From(in)
	if err == nil && (f.Distilled != nil || btf.IsSplit(f.BTF)) {
		err = ErrSplitBase
	}
	return f, input.Named(path, err)
}

// Parse parses BTF that is not split, checks its references, and indexes its strings for use as a base.
func Parse(data []byte) (*btf.Object, error) {
	o, err := btf.Parse(data, nil)
	if err != nil {
		return nil, err
	}
	if err := o.CheckReferences(); err != nil {
		return nil, err
	}
	o.Strings.Index()
	return o, nil
}

// ParseOnce is Parse for a base that is used once, with BTF that does not change. Its strings are indexed if that is needed.
func ParseOnce(data []byte) (*btf.Object, error) {
	o, err := btf.View(data)
	if err != nil {
		return nil, err
	}
	if err := o.CheckReferences(); err != nil {
		return nil, err
	}
	return o, nil
}

// Object parses the BTF. If the file has a distilled base and base is not nil, the BTF is relocated to base, as a kernel does.
func (f *File) Object(path string, base *btf.Object) (o *btf.Object, err error) {
	own := base
	if err := f.Alone(); err != nil && base == nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if f.Distilled != nil {
		if own, err = btf.Parse(f.Distilled, nil); err != nil {
			return nil, fmt.Errorf("%s: .BTF.base: %w", path, err)
		}
	}
	o, err = btf.Parse(f.BTF, own)
	if err == nil && own != nil && own == base && !btf.IsSplit(f.BTF) {
		err = ErrWhole
	}
	if err == nil && base != nil && o.Order != base.Order {
		err = errors.New("the BTF and its base have different byte orders")
	}
	if err == nil && base != nil && own != base {
		o, err = distill.Relocate(o, own, base)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return o, nil
}
