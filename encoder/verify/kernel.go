package verify

import (
	"math"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/kernel"
)

// A Kernel is a generation of kernels that verify BTF in the same way. The zero value is the newest one.
type Kernel uint8

// The tested generations. A kernel between two of them follows the older one in most rules.
const (
	Newest Kernel = iota
	V5_10
	V6_1
	V6_12
	V6_18
	V7_2
)

// A generation holds the rules in which kernels differ (rule 05/15). All other rules are the same in every generation.
type generation struct {
	name     string
	header   uint32   // size of the header that the kernel knows, in bytes
	info     uint32   // bits of the info word that may be set
	kinds    uint32   // mask of the kind, after the shift by 24
	vlens    uint32   // mask of vlen
	lastKind btf.Kind // the highest kind that the kernel knows
	// stringsLast: if the header is shorter than this, the strings must be the last section.
	stringsLast uint32
	identifier  uint32      // longest name, in bytes
	section     class       // allowed bytes in the name of a DATASEC
	kflags      btf.KindSet // kinds that may have the kind flag
	emptySec    bool        // a DATASEC may be empty
	unsigned    bool        // values of an enum without kind flag are printed as unsigned
	refFunc     bool        // modifiers and pointers may refer to a FUNC
	returnVar   bool        // a function may return a VAR or a DATASEC
	chains      bool        // chains of modifiers are checked
	tagsFirst   bool        // a TYPE_TAG may not follow another modifier
	fields      bool        // locks, lists and the like inside structs are checked at load
	resLock     bool        // bpf_res_spin_lock is one of them
	modules     bool        // modules have BTF
	distilled   bool        // and their own distilled base
	bisect      bool        // names are searched by bisection
}

// flagged are the kinds that may have the kind flag in every generation.
const flagged = btf.Composites | 1<<btf.KindFwd

var generations = [...]generation{
	V5_10: {
		name: "5.10", header: 24, info: 0x8f00ffff, kinds: 0x1f, vlens: 0xffff, lastKind: btf.KindDatasec,
		stringsLast: math.MaxUint32, identifier: 128, section: identifierBytes,
		kflags:    flagged,
		returnVar: true,
	},
	V6_1: {
		name: "6.1", header: 24, info: 0x9f00ffff, kinds: 0x1f, vlens: 0xffff, lastKind: btf.KindEnum64,
		stringsLast: math.MaxUint32, identifier: 512, section: identifierBytes,
		kflags:   flagged | btf.Enums,
		emptySec: true, unsigned: true, refFunc: true, chains: true, tagsFirst: true, modules: true,
	},
	V6_12: {
		name: "6.12", header: 24, info: 0x9f00ffff, kinds: 0x1f, vlens: 0xffff, lastKind: btf.KindEnum64,
		stringsLast: math.MaxUint32, identifier: 512, section: printableBytes,
		kflags:   flagged | btf.Enums,
		emptySec: true, unsigned: true, refFunc: true, chains: true, tagsFirst: true, fields: true, modules: true, distilled: true,
	},
	V6_18: {
		name: "6.18", header: 24, info: 0x9f00ffff, kinds: 0x1f, vlens: 0xffff, lastKind: btf.KindEnum64,
		stringsLast: math.MaxUint32, identifier: 512, section: printableBytes,
		kflags:   flagged | btf.Enums | 1<<btf.KindTypeTag | 1<<btf.KindDeclTag,
		emptySec: true, unsigned: true, refFunc: true, chains: true, tagsFirst: true, fields: true, resLock: true, modules: true, distilled: true,
	},
	V7_2: {
		name: "7.2", header: 32, info: 0xffffffff, kinds: 0x7f, vlens: 0xffffff, lastKind: btf.KindEnum64,
		stringsLast: 32, identifier: 512, section: printableBytes,
		kflags:   flagged | btf.Enums | 1<<btf.KindTypeTag | 1<<btf.KindDeclTag,
		emptySec: true, unsigned: true, refFunc: true, chains: true, fields: true, resLock: true, modules: true, distilled: true, bisect: true,
	},
}

// Kernels returns the generations, oldest first.
func Kernels() []Kernel {
	all := make([]Kernel, 0, len(generations)-1)
	for k := V5_10; int(k) < len(generations); k++ {
		all = append(all, k)
	}
	return all
}

// ParseKernel returns the generation of a kernel, by its own name, such as "6.12" or "newest", or for a release such as "6.8" or
// "5.10.0-28-amd64". kernel.Find also returns a remark about the match.
func ParseKernel(s string) (Kernel, error) {
	asked, err := kernel.Find(s)
	if err != nil {
		return 0, err
	}
	for _, k := range Kernels() {
		if k.String() == asked.Generation {
			return k, nil
		}
	}
	panic("verify: no rules for generation " + asked.Generation) // a test compares the lists
}

// String returns the name of the generation.
func (k Kernel) String() string { return k.generation().name }

// known replaces Newest by the generation that it stands for.
func (k Kernel) known() Kernel {
	if k == Newest || int(k) >= len(generations) {
		return Kernel(len(generations) - 1)
	}
	return k
}

func (k Kernel) generation() *generation { return &generations[k.known()] }
