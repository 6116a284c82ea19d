package judge

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/verify"
)

// An assumption is what was assumed about the kernel of raw BTF, because the file does not say it.
type assumption struct {
	ptrSize int    // 0: nothing was assumed
	from    string // the type that tells the size of a pointer, or empty
	big     bool
}

// assume fills in what a raw file does not say about its kernel: the byte order and the size of a pointer. They only matter for the path
// load, where all types are checked; the other paths read the byte order from the BTF and ignore the size of pointers.
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

// told is the end of the line that says that a kernel accepts the BTF.
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

// matters reports whether a wrong size of pointers can explain a refusal.
func (a assumption) matters(no *verify.Refusal) bool {
	return a.ptrSize != 0 && (strings.Contains(no.Phrase, "exceeds struct_size") || strings.Contains(no.Phrase, "not properly aligned"))
}

// sentence says what was assumed.
func (a assumption) sentence() string {
	why := "no type tells their size"
	if a.from != "" {
		why = fmt.Sprintf("%q has that size", a.from)
	}
	return fmt.Sprintf("pointers are assumed to have %d bytes, because %s; if the kernel has others, give --pointer-size %d", a.ptrSize, why, 12-a.ptrSize)
}
