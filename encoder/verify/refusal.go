package verify

import (
	"fmt"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/feature"
)

// An Errno is an error number of the kernel.
type Errno uint16

// The numbers that BTF verification gives.
const (
	ENOENT   Errno = 2
	E2BIG    Errno = 7
	EFAULT   Errno = 14
	EEXIST   Errno = 17
	EINVAL   Errno = 22
	ELOOP    Errno = 40
	ENOTSUPP Errno = 524 // known inside the kernel only, yet returned to the caller
)

// String is the symbol, such as EINVAL.
func (e Errno) String() string {
	switch e {
	case ENOENT:
		return "ENOENT"
	case E2BIG:
		return "E2BIG"
	case EFAULT:
		return "EFAULT"
	case EEXIST:
		return "EEXIST"
	case EINVAL:
		return "EINVAL"
	case ELOOP:
		return "ELOOP"
	case ENOTSUPP:
		return "ENOTSUPP"
	}
	return fmt.Sprintf("errno %d", uint16(e))
}

// A Refusal is the kernel's no.
type Refusal struct {
	Path   Path
	Kernel Kernel
	Errno  Errno
	// TypeID, Kind and Name are those of the type at fault; 0 and empty when the fault is not in a type.
	TypeID uint32
	Kind   btf.Kind
	Name   string
	// Offset is where the fault lies, counted from the first byte of the blob: a field of the header, the record of the
	// type, or the member, enumerator, parameter or section entry.
	Offset uint64
	// Phrase is the kernel's verdict, such as "Invalid name". It is empty in the few cases where the kernel says nothing.
	Phrase string
	// Line is the whole last line of the log of a load, such as "[2] TYPEDEF 1a type_id=1 Invalid name", without the tab
	// in front of members. For an image the kernel prints the same words on lines that begin with "BPF: ".
	Line string
	// Reason says in one sentence what is wrong.
	Reason string
	// LeaveOut are features without which the kernel has nothing to say about this; Remedy says so in words. Both are zero values
	// where no feature is at fault.
	LeaveOut feature.Set
	Remedy   string

	key string // of phrases
}

// advise works out the remedy. used are the features of the blob, if they are known.
func (r *Refusal) advise(used feature.Set) {
	r.LeaveOut = remedy(r.key, r.Kind, r.Kernel, used)
	if r.Kind == btf.KindDatasec && r.Name != perCPU {
		r.LeaveOut &^= feature.Of(feature.Var) // which makes that one section
	}
	r.Remedy = remedyText(r.LeaveOut, r.Kernel, used)
}

// Error gives all of it on one line.
func (r *Refusal) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "kernel %s, path %s: ", r.Kernel, r.Path)
	if r.TypeID != 0 {
		fmt.Fprintf(&b, "type %d, ", r.TypeID)
		if r.Kind != btf.KindVoid {
			fmt.Fprintf(&b, "%v ", r.Kind)
		}
		fmt.Fprintf(&b, "%s, ", quoted(r.Name))
	}
	fmt.Fprintf(&b, "byte %#x: %v", r.Offset, r.Errno)
	if r.Line != "" {
		fmt.Fprintf(&b, " %s", quoted(r.Line))
	}
	fmt.Fprintf(&b, ": %s", r.Reason)
	if r.Remedy != "" {
		fmt.Fprintf(&b, "; %s", r.Remedy)
	}
	return b.String()
}

// quoted is fit for a terminal, whatever bytes a hostile blob holds, and short.
func quoted(s string) string {
	const most = 200
	if len(s) > most {
		s = s[:most/2] + "..." + s[len(s)-most/2:]
	}
	return fmt.Sprintf("%q", s)
}
