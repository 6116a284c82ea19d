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
	imageHeader = 0x40 // size
	maxBootable = 512 << 20
	maxBooting  = 64 << 20 // of its BTF, which has 3 to 15 MB

	zbootPayload = 0x08 // offset of the payload in the file, and its size
	zbootFormat  = 0x18 // how it is compressed, a name that ends with a NUL
	zbootNameEnd = 0x38
	zbootHeader  = 0x3c
)

// bootFormats are the formats of kernels as they boot, and the sizes of their headers. Signatures recognise them.
var bootFormats = map[Kind]struct {
	header int
	format
}{
	bzImage:        {bzEnd, format{name: "bzImage", open: openBoot}},
	zboot:          {zbootHeader, format{name: "EFI zboot", open: openZboot}},
	imageARM64:     {imageHeader, format{name: "arm64 Image", open: openImage}},
	imageRISCV:     {imageHeader, format{name: "RISC-V Image", open: openImage}},
	imageLoongArch: {imageHeader, format{name: "LoongArch Image", open: openImage}},
}

// booting returns the format of a kernel as it boots, or nil.
func booting(head []byte) *format {
	s := find(head)
	if s == nil {
		return nil
	}
	f, ok := bootFormats[s.kind]
	if !ok || len(head) < f.header {
		return nil
	}
	return &f.format
}

// openZboot goes to the payload of an EFI zboot image and decompresses it.
func openZboot(r *bufio.Reader) (io.Reader, func(), error) {
	head, err := r.Peek(zbootHeader)
	if err != nil {
		return nil, nil, err
	}
	start, size := int64(binary.LittleEndian.Uint32(head[zbootPayload:])), int64(binary.LittleEndian.Uint32(head[zbootPayload+4:]))
	name, _, _ := bytes.Cut(head[zbootFormat:zbootNameEnd], []byte{0})
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

// openImage returns the BTF in an Image, which is searched as it is read.
func openImage(r *bufio.Reader) (io.Reader, func(), error) {
	found, _, n, err := btf.FindIn(io.LimitReader(r, maxBootable+1), maxBooting)
	switch {
	case n > maxBootable:
		return nil, nil, tooLong(maxBootable)
	case errors.Is(err, btf.ErrNone):
		return nil, nil, fmt.Errorf("there is no BTF in its %d bytes: the kernel was built without CONFIG_DEBUG_INFO_BTF, or the file is truncated", n)
	case err != nil:
		return nil, nil, err
	}
	return bytes.NewReader(found), nil, nil
}
