package verify

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/btfbatch/btfbatch/encoder/feature"
)

// A Path is a way on which BTF reaches a kernel; each path checks a different share of the rules. Use Vmlinux or
// Module for BTF that goes into an image, and Load for BTF that a program passes to the kernel. Load checks most.
type Path uint8

// The four paths of rule 05/1.
const (
	Load          Path = iota // BPF_BTF_LOAD: a program hands a blob to bpf(2)
	Vmlinux                   // the kernel's own .BTF
	Module                    // a module's .BTF, which continues the ids of a base
	DistilledBase             // a module's .BTF.base
)

// paths says which steps a path has.
var paths = [...]struct {
	name  string
	split bool // continues a base
	user  bool // has a size limit, and checks alignment, layout and what types refer to
}{
	Load:          {name: "load", user: true},
	Vmlinux:       {name: "vmlinux"},
	Module:        {name: "module", split: true},
	DistilledBase: {name: "base"},
}

// String is the word that ParsePath takes.
func (p Path) String() string {
	if int(p) >= len(paths) {
		return fmt.Sprintf("path %d", uint8(p))
	}
	return paths[p].name
}

// ParsePath reads "load", "vmlinux", "module" or "base".
func ParsePath(s string) (Path, error) {
	for p := range paths {
		if paths[p].name == s {
			return Path(p), nil
		}
	}
	return 0, fmt.Errorf("path %q is none of load, vmlinux, module, base", s)
}

// ErrNoPath tells that the kernel of that generation has no such path, so that there is nothing to check.
var ErrNoPath = errors.New("this kernel has no such path")

// Options say which kernel reads the blob, and how it gets there.
type Options struct {
	Kernel Kernel // the zero value is the newest generation
	Path   Path
	// Order is the byte order of the kernel, which is the only one it accepts. nil is little endian for Load, and the
	// order in which the magic reads right for the other paths, since an image's BTF is native to it.
	Order binary.ByteOrder
	// PtrSize is the size of a pointer in that kernel, 4 or 8; 0 is 8.
	PtrSize int
	// Base is the raw BTF of the kernel that a module belongs to; Checked is the same for many modules. Module needs one of
	// them, or Distilled.
	Base    []byte
	Checked *Base
	// Distilled is the module's .BTF.base, if it has one and the path is Module. The module is then read on top of it;
	// with a base, it is also relocated to that. For the path DistilledBase the blob is the section itself.
	Distilled []byte
	// Features are those that the blob was made with, for the remedy in a refusal; the zero value if that is not known.
	Features feature.Set
}

// Check verifies a blob. nil is accepted; a *Refusal tells what the kernel would say; another error is a wrong question,
// such as a module without a base.
func Check(blob []byte, opt Options) error {
	if int(opt.Path) >= len(paths) {
		return fmt.Errorf("%v: unknown", opt.Path)
	}
	gen := opt.Kernel.generation()
	switch {
	case opt.Path == Module && !gen.modules, opt.Path == DistilledBase && !gen.distilled:
		return fmt.Errorf("kernel %s, path %s: %w", opt.Kernel, opt.Path, ErrNoPath)
	case opt.PtrSize != 0 && opt.PtrSize != 4 && opt.PtrSize != 8:
		return fmt.Errorf("pointer size %d is neither 4 nor 8", opt.PtrSize)
	}
	c := newChecker(blob, opt)
	var r *Refusal
	if opt.Path == Module {
		var err error
		if r, err = checkModule(c, opt); err != nil {
			return err
		}
	} else {
		r = c.run(nil)
		if r == nil && opt.Path == DistilledBase {
			r = checkDistilled(c)
		}
	}
	if r != nil {
		r.advise(opt.Features)
		return r
	}
	return nil
}

// checkModule reads a module's BTF on top of its base, distilled or not, and relocates it in the first case.
func checkModule(c *checker, opt Options) (*Refusal, error) {
	distilled := opt.Distilled
	if !c.gen.distilled {
		distilled = nil // an older kernel does not know the section, and takes its own BTF as the base
	}
	base, err := opt.base()
	if err != nil {
		return nil, err
	}
	if base == nil && distilled == nil {
		return nil, errors.New("the BTF of a module continues a base, and none is given")
	}
	if distilled == nil {
		return c.run(base), nil
	}
	d := newChecker(distilled, Options{Kernel: opt.Kernel, Path: DistilledBase, Order: opt.Order})
	if r := d.run(nil); r != nil {
		return r, nil
	}
	if r := c.run(d); r != nil {
		return r, nil
	}
	if r := checkDistilled(d); r != nil || base == nil {
		return r, nil
	}
	return relocate(c, d, base), nil
}

// run makes the passes of the path, in the kernel's order.
func (c *checker) run(base *checker) *Refusal {
	if r := c.header(base); r != nil {
		return r
	}
	if r := c.meta(); r != nil {
		return r
	}
	// Below this line every record is whole, and every name it shows is in range.
	if paths[c.path].user {
		if r := c.resolve(); r != nil {
			return r
		}
	}
	if c.gen.chains {
		if r := c.chains(); r != nil {
			return r
		}
	}
	if paths[c.path].user && c.gen.fields {
		return c.fields()
	}
	return nil
}
