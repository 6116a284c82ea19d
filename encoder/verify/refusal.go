package verify

import (
	"fmt"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/feature"
)

// An Errno is an error number of the kernel.
type Errno uint16

// The error numbers of BTF verification.
const (
	ENOENT   Errno = 2
	E2BIG    Errno = 7
	EFAULT   Errno = 14
	EEXIST   Errno = 17
	EINVAL   Errno = 22
	ELOOP    Errno = 40
	ENOTSUPP Errno = 524 // known only inside the kernel, but returned to the caller
)

// String returns the symbol, such as EINVAL.
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

// A Refusal is the kernel's rejection of a blob.
type Refusal struct {
	Path   Path
	Kernel Kernel
	Errno  Errno
	// TypeID, Kind and Name identify the type at fault. They are 0 and empty if the fault is not in a type.
	TypeID uint32
	Kind   btf.Kind
	Name   string
	// Offset is the place of the fault, in bytes from the start of the blob: a field of the header, the record of the type, or the member,
	// enumerator, parameter or section entry.
	Offset uint64
	// Phrase is the kernel's verdict, such as "Invalid name". It is empty in the few cases in which the kernel prints none.
	Phrase string
	// Line is the last line of the log of a load, such as "[2] TYPEDEF 1a type_id=1 Invalid name", without the tab before members. For an
	// image the kernel prints the same words on lines that begin with "BPF: ".
	Line string
	// Reason says in one sentence what is wrong.
	Reason string
	// LeaveOut are the features to omit so that the kernel does not find this fault. Remedy says the same in words. Both are zero values if
	// no feature causes the fault.
	LeaveOut feature.Set
	Remedy   string

	key string // key in phrases
}

// advise sets the remedy. used are the features of the blob, or the zero value if they are not known.
func (r *Refusal) advise(used feature.Set) {
	r.LeaveOut = remedy(r.key, r.Kind, r.Kernel, used)
	if r.Kind == btf.KindDatasec && r.Name != perCPU {
		r.LeaveOut &^= feature.Of(feature.Var) // Var makes that one section
	}
	r.Remedy = remedyText(r.LeaveOut, r.Kernel, used)
}

// Error returns all fields on one line.
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

// quoted returns a short text that is safe for a terminal, whatever bytes a hostile blob holds.
func quoted(s string) string {
	const most = 200
	if len(s) > most {
		s = s[:most/2] + "..." + s[len(s)-most/2:]
	}
	return fmt.Sprintf("%q", s)
}
