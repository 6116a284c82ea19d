package corpus

import (
	stdelf "debug/elf"
	"encoding/binary"
	"fmt"

	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/input"
)

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

// btfMagic starts raw BTF, in its own byte order.
const btfMagic = 0xeb9f

// inspectBase checks that a file can hold the base of the item: ELF of the same architecture or raw BTF of the same
// byte order.
func (it *Item) inspectBase(path string) error {
	if _, err := input.Regular(path); err != nil {
		return err
	}
	in, err := input.Open(path, input.BTF, input.ELF)
	if err != nil {
		return err
	}
	defer in.Close()
	if in.Kind == input.ELF {
		f, err := elf.FromInput(in)
		if err != nil {
			return err
		}
		if arch := archOf(f); arch != it.Image.Arch {
			return archError(arch, it.Image.Arch, "that of the image")
		}
		it.base, _ = Identify(f) // only to compare with
		return nil
	}
	var magic [2]byte
	if _, err := in.ReadAt(magic[:], 0); err != nil {
		return err
	}
	order := binary.ByteOrder(binary.LittleEndian)
	if binary.BigEndian.Uint16(magic[:]) == btfMagic {
		order = binary.BigEndian
	}
	if order != it.order {
		return &elf.FormatError{Section: "BTF header", Problem: fmt.Sprintf("byte order is %v, that of the image %v", order, it.order)}
	}
	return nil
}
