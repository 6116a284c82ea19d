package corpus

import (
	stdelf "debug/elf"
	"encoding/binary"
	"fmt"

	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/input"
)

// A Base is what is known of the image, or of the file, whose BTF another image continues.
type Base struct {
	Arch     string // empty if it is raw BTF
	Order    binary.ByteOrder
	Identity Identity // zero if it is raw BTF
}

// AsBase is a file, which was opened, as a base of others.
func (f *File) AsBase() Base { return Base{f.Arch, f.order, f.Identity} }

// OpenBase opens a file that may hold a base, an ELF file or raw BTF, and looks at its header. Errors name the path.
func OpenBase(path string) (*input.File, Base, error) {
	if _, err := input.Regular(path); err != nil {
		return nil, Base{}, err
	}
	in, err := input.Open(path, input.BTF, input.ELF)
	if err != nil {
		return nil, Base{}, input.Named(path, err)
	}
	b, err := lookAtBase(in)
	if err != nil {
		in.Close()
		return nil, Base{}, input.Named(path, err)
	}
	return in, b, nil
}

// btfMagic starts raw BTF, in its own byte order.
const btfMagic = 0xeb9f

func lookAtBase(in *input.File) (b Base, err error) {
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

// Continues finds out whether an image, which was opened, can continue a base: that of the same architecture, as far as it says, and
// of the same byte order.
func (f *File) Continues(b *Base) error {
	switch {
	case b.Arch != "" && b.Arch != f.Arch:
		return archError(b.Arch, f.Arch, "that of the image")
	case b.Order != f.order:
		return &elf.FormatError{Section: "BTF header", Problem: fmt.Sprintf("byte order is %v, that of the image %v", b.Order, f.order)}
	}
	return nil
}

// A MismatchError says that a file is not the one that the manifest pins.
type MismatchError struct {
	What   string // "sha256", "build_id", "base_sha256", "release"
	Found  string // empty if the file has none
	Pinned string
}

func (e *MismatchError) Error() string {
	if e.Found == "" {
		return fmt.Sprintf("%s: the file has none, the manifest pins %s", e.What, e.Pinned)
	}
	return fmt.Sprintf("%s: the file has %s, the manifest pins %s", e.What, e.Found, e.Pinned)
}

// archError places the contradiction at e_machine.
func archError(found, want, who string) error {
	return &elf.FormatError{Section: "ELF header", Offset: 18,
		Problem: fmt.Sprintf("architecture is %s, %s %s", found, who, want)}
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
