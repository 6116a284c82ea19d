package corpus

import (
	"cmp"
	stdelf "debug/elf"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/input"
)

// A Base says what is known about the image or the file that another image has as its base.
type Base struct {
	Arch     string // empty if it is raw BTF
	Order    binary.ByteOrder
	Identity Identity // zero if it is raw BTF
}

// AsBase describes an opened file as the base of other images.
func (f *File) AsBase() Base { return Base{f.Arch, f.order, f.Identity} }

// OpenBase opens a file that may hold a base, an ELF file or raw BTF, and reads its header. Errors name the path.
func OpenBase(path string) (*input.File, Base, error) {
	if _, err := input.Regular(path); err != nil {
		return nil, Base{}, err
	}
	in, err := input.Open(path, input.BTF, input.ELF)
	if wrong, ok := errors.AsType[*input.KindError](err); ok && (wrong.Found == input.Deb || wrong.Found == input.RPM) {
		err = fmt.Errorf("%s: in a manifest, make its kernel an image of its own, with from, and name that in base", wrong.Found)
	}
	if err != nil {
		return nil, Base{}, input.Named(path, err)
	}
	b, err := LookAtBase(in)
	if err != nil {
		in.Close()
		return nil, Base{}, input.Named(path, err)
	}
	return in, b, nil
}

// btfMagic is the first word of raw BTF, in the byte order of the BTF.
const btfMagic = 0xeb9f

// LookAtBase reads the header of an open file that may hold a base.
func LookAtBase(in *input.File) (b Base, err error) {
	if in.Kind == input.ELF {
		f, err := elf.FromInput(in)
		if err != nil {
			return b, err
		}
		b.Arch, b.Order = archOf(f), f.Order
		b.Identity, _ = Identify(f) // only to compare with
		return b, nil
	}
	var magic [2]byte
	if _, err := in.ReadAt(magic[:], 0); err != nil {
		return b, err
	}
	b.Order = binary.LittleEndian
	if binary.BigEndian.Uint16(magic[:]) == btfMagic {
		b.Order = binary.BigEndian
	}
	return b, nil
}

// Continues checks that an opened image can have this base: it must be of the same architecture, if the base has one, and of the same byte
// order.
func (f *File) Continues(b *Base) error {
	switch {
	case b.Arch != "" && b.Arch != f.Arch:
		return archError(b.Arch, f.Arch, "that of the image")
	case b.Order != f.order:
		return &elf.FormatError{Section: "BTF header", Problem: fmt.Sprintf("byte order is %v, that of the image %v", b.Order, f.order)}
	}
	return nil
}

// A MismatchError says that a file is not the one that the manifest pins. Found is what the file has.
type MismatchError struct {
	What   string // "sha256", "build_id", "base_sha256", "release"
	Found  string // empty if the file has none
	Pinned string
	ByLock bool // the lock of the manifest pins it, and not the manifest itself
}

// ErrMismatch is the cause of every error that says that an image is not the one that its manifest describes: of a *MismatchError, and of
// the errors about architecture, kind and release.
var ErrMismatch = errors.New("the image is not the one that the manifest describes")

// Is reports whether target is ErrMismatch.
func (e *MismatchError) Is(target error) bool { return target == ErrMismatch }

// A mismatch is an error with the cause ErrMismatch and another text.
type mismatch struct{ error }

func (m mismatch) Unwrap() error { return m.error }

func (m mismatch) Is(target error) bool { return target == ErrMismatch }

func (e *MismatchError) Error() string {
	by := "the manifest pins"
	if e.ByLock {
		by = "the lock has"
	}
	return fmt.Sprintf("%s: the file has %s, %s %s", e.What, cmp.Or(e.Found, "none"), by, cmp.Or(e.Pinned, "none"))
}

// archError names e_machine as the place of the contradiction.
func archError(found, want, who string) error {
	return mismatch{&elf.FormatError{Section: "ELF header", Offset: 18,
		Problem: fmt.Sprintf("architecture is %s, %s %s", found, who, want)}}
}

func archOf(f *elf.File) string {
	class, data := stdelf.ELFCLASS32, stdelf.ELFDATA2LSB
	if f.Is64 {
		class = stdelf.ELFCLASS64
	}
	if f.Order == binary.ByteOrder(binary.BigEndian) {
		data = stdelf.ELFDATA2MSB
	}
	return config.ArchOf(f.Machine, class, data).Name
}
