package judge

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/verify"
)

// An assumption is what was taken for granted of the kernel that raw BTF is of, since the file does not say it.
type assumption struct {
	ptrSize int    // 0: nothing was taken for granted
	from    string // the type that tells the size of a pointer, if one does
	big     bool
}

// assume fills in what a raw file does not say of its kernel: byte order and size of a pointer. They matter on the path of a load alone,
// where the BTF of a kernel is looked at whole; the others read the byte order themselves and do not care for pointers.
func (q *Question) assume(blob []byte, opt *verify.Options) assumption {
	var a assumption
	if opt.Path == verify.Load && opt.Order == nil && len(blob) >= 2 && binary.BigEndian.Uint16(blob) == btf.Magic {
		opt.Order, a.big = binary.BigEndian, true
	}
	if q.PtrSize != 0 {
		opt.PtrSize = q.PtrSize
	}
	if opt.Path != verify.Load || opt.PtrSize != 0 {
		return a
	}
	opt.PtrSize, a.from = verify.PointerSize(blob, opt.Order)
	if opt.PtrSize == 0 {
		opt.PtrSize = 8
	}
	a.ptrSize = opt.PtrSize
	return a
}

// told is the end of a line that tells of a yes.
func (a assumption) told() string {
	out := ""
	if a.big {
		out = ", big-endian"
	}
	if a.ptrSize == 4 {
		out += ", pointers of 4 bytes"
	}
	return out
}

// matters tells whether a refusal may be due to the size of a pointer.
func (a assumption) matters(no *verify.Refusal) bool {
	return a.ptrSize != 0 && (strings.Contains(no.Phrase, "exceeds struct_size") || strings.Contains(no.Phrase, "not properly aligned"))
}

// sentence says what was taken for granted.
func (a assumption) sentence() string {
	why := "no type tells how many they have"
	if a.from != "" {
		why = fmt.Sprintf("%q tells so", a.from)
	}
	return fmt.Sprintf("pointers are taken to have %d bytes, since %s: for a kernel of another size give --pointer-size %d", a.ptrSize, why, 12-a.ptrSize)
}
