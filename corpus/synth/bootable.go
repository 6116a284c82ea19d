package synth

import (
	"encoding/binary"
	"slices"
)

// Image returns a kernel of arm64 ("arm64") or RISC-V ("riscv64") as it boots, which has BTF among its data.
func Image(arch string, btf []byte) []byte {
	b := make([]byte, 0x1000)
	copy(b, "MZ") // it is an EFI program too
	binary.LittleEndian.PutUint64(b[8:], 0x200000)
	switch arch {
	case "arm64":
		copy(b[0x38:], "ARM\x64")
	case "riscv64":
		copy(b[0x30:], "RISCV\x00\x00\x00RSC\x05")
	default:
		panic("synth: no Image of " + arch)
	}
	b = append(b, "code \x9f\xeb\x01\x00 with the magic number of BTF"...)
	for len(b)%8 != 4 {
		b = append(b, 0x90)
	}
	b = append(b, btf...)
	b = append(b, make([]byte, 0x800)...)
	binary.LittleEndian.PutUint64(b[16:], uint64(len(b)))
	return b
}

// Zboot returns an EFI zboot image with a payload, a compressed Image. format is how it is compressed. size is that of the Image, which is appended as kernel
// builds do, except for gzip.
func Zboot(format string, payload []byte, size int) []byte {
	const start = 0x400
	b := make([]byte, start)
	copy(b, "MZ\x00\x00zimg")
	binary.LittleEndian.PutUint32(b[8:], start)
	binary.LittleEndian.PutUint32(b[12:], uint32(len(payload)))
	copy(b[0x18:0x38], format)
	copy(b[0x38:], "\xcd\x23\x82\x81")
	b = slices.Concat(b, payload)
	if format != "gzip" {
		b = binary.LittleEndian.AppendUint32(b, uint32(size))
	}
	return append(b, "code after the payload"...)
}
