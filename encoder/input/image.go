package input

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// An Image is the kernel of arm64, RISC-V or LoongArch as it boots: what is loaded into memory, without sections. Its BTF is found by its header. An EFI
// zboot image is a program that unpacks such an Image. Both are opened only for callers that want BTF: for all others, they are the wrong file.
//
// The headers are those of the boot protocols: "Booting AArch64 Linux", and "Boot image header in RISC-V Linux". Numbers are in little-endian order.

const (
	imageMagic  = 0x38 // offset of the magic number of all architectures
	imageRISCV  = 0x30 // and of an older one of RISC-V
	imageHeader = 0x40 // size
	maxBootable = 512 << 20

	zbootMagic   = 0x04
	zbootPayload = 0x08 // offset of the payload in the file, and its size
	zbootFormat  = 0x18 // how it is compressed, a name that ends with a NUL
	zbootHeader  = 0x3c
)

var (
	zbootFormats = format{"EFI zboot", "zimg", zbootMagic, openZboot}
	imageFormats = []format{
		{"arm64 Image", "ARM\x64", imageMagic, openImage},
		{"RISC-V Image", "RSC\x05", imageMagic, openImage},
		{"RISC-V Image", "RISCV\x00\x00\x00", imageRISCV, openImage},
		{"LoongArch Image", "\xcd\x23\x82\x81", imageMagic, openImage},
	}
)

// booting returns the format of a kernel as it boots, or nil.
func booting(head []byte) *format {
	switch {
	case isBoot(head):
		return &bootFormat
	case len(head) >= zbootHeader && zbootFormats.matches(head): // its header has the magic number of LoongArch, on all architectures
		return &zbootFormats
	case len(head) < imageHeader:
		return nil
	}
	for i := range imageFormats {
		if f := &imageFormats[i]; f.matches(head) {
			return f
		}
	}
	return nil
}

func (f *format) matches(head []byte) bool {
	return len(head) >= f.off && bytes.HasPrefix(head[f.off:], []byte(f.magic))
}

// openZboot goes to the payload of an EFI zboot image and decompresses it.
func openZboot(r *bufio.Reader) (io.Reader, func(), error) {
	head, err := r.Peek(zbootHeader)
	if err != nil {
		return nil, nil, err
	}
	start, size := int64(binary.LittleEndian.Uint32(head[zbootPayload:])), int64(binary.LittleEndian.Uint32(head[zbootPayload+4:]))
	name, _, _ := bytes.Cut(head[zbootFormat:imageMagic], []byte{0})
	if start < zbootHeader || size == 0 {
		return nil, nil, fmt.Errorf("its header states a payload of %d bytes at %#x", size, start)
	}
	if _, err := io.CopyN(io.Discard, r, start); err != nil {
		return nil, nil, err
	}
	in, end, err := openPayload(bufio.NewReaderSize(io.LimitReader(r, size), window), size, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("the payload at %#x (%s): %w", start, printable(name), err)
	}
	return in, end, err
}

// printable returns a name from a header for a message.
func printable(name []byte) string {
	return strings.Trim(fmt.Sprintf("%q", name), `"`)
}

// openImage returns the BTF in an Image.
func openImage(r *bufio.Reader) (io.Reader, func(), error) {
	var b bytes.Buffer
	n, err := b.ReadFrom(io.LimitReader(r, maxBootable+1))
	if err != nil {
		return nil, nil, err
	}
	if n > maxBootable {
		return nil, nil, tooLong(maxBootable)
	}
	found, at, err := btf.Find(b.Bytes())
	switch {
	case errors.Is(err, btf.ErrNone):
		return nil, nil, fmt.Errorf("there is no BTF in its %d bytes: the kernel was built without CONFIG_DEBUG_INFO_BTF, or the file is truncated", n)
	case err != nil:
		return nil, nil, err
	}
	_ = at
	return bytes.NewReader(bytes.Clone(found)), nil, nil
}
