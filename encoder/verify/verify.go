package verify

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/btfbatch/btfbatch/encoder/feature"
)

// A Path is a way by which BTF reaches a kernel. Each path has a different subset of the checks. Use Vmlinux or Module for BTF that goes
// into an image, and Load for BTF that a program passes to the kernel. Load has the most checks.
type Path uint8

// The four paths of rule 05/1.
const (
	Load          Path = iota // BPF_BTF_LOAD: a program passes a blob to bpf(2)
	Vmlinux                   // the kernel's own .BTF
	Module                    // a module's .BTF, whose ids continue those of a base
	DistilledBase             // a module's .BTF.base
)

// paths lists the properties of each path.
var paths = [...]struct {
	name  string
	split bool // has a base
	user  bool // has a size limit, and checks alignment, layout and references
}{
	Load:          {name: "load", user: true},
	Vmlinux:       {name: "vmlinux"},
	Module:        {name: "module", split: true},
	DistilledBase: {name: "base"},
}

// String returns the word that ParsePath accepts.
func (p Path) String() string {
	if int(p) >= len(paths) {
		return fmt.Sprintf("path %d", uint8(p))
	}
	return paths[p].name
}

// PathNames lists the words that ParsePath accepts.
func PathNames() []string {
	names := make([]string, len(paths))
	for i, p := range paths {
		names[i] = p.name
	}
	return names
}

// ParsePath parses "load", "vmlinux", "module" or "base".
func ParsePath(s string) (Path, error) {
	for p := range paths {
		if paths[p].name == s {
			return Path(p), nil
		}
	}
	return 0, fmt.Errorf("path %q is none of load, vmlinux, module, base", s)
}

// ErrNoPath is returned if that generation of kernels has no such path, so that there is nothing to check.
var ErrNoPath = errors.New("this kernel has no such path")

// Options say which kernel reads the blob, and on which path.
type Options struct {
	Kernel Kernel // the zero value is the newest generation
	Path   Path
	// Order is the byte order of the kernel, which is the only one that it accepts. nil means little endian for Load. For the other paths
	// it means the order given by the magic number, because an image's BTF has the byte order of the image.
	Order binary.ByteOrder
	// PtrSize is the size of a pointer in that kernel in bytes, 4 or 8; 0 means 8.
	PtrSize int
	// Base is the raw BTF of the kernel that a module belongs to. Checked is the same, checked once for many modules. Module needs one of
	// them, or Distilled.
	Base    []byte
	Checked *Base
	// Distilled is the module's .BTF.base, if it has one and the path is Module. The module is then checked with it as the base. If there
	// is also a base, the module is relocated to it. For the path DistilledBase the blob is the section itself.
	Distilled []byte
	// Reading, unless it is nil, keeps what Check has read of a blob that the kernel accepts.
	Reading *Reading
	// Features are those of the blob, used for the remedy in a refusal. The zero value means that they are not known.
	Features feature.Set
}

// A Reading is a blob that Check has read. Lint uses it and reads nothing again. The zero value is a blob that nobody has read.
type Reading struct{ c *checker }

// Check verifies a blob. It returns nil if the kernel accepts the blob, and a *Refusal if it does not. Other errors report invalid options,
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
	if opt.Reading != nil && opt.Distilled == nil {
		opt.Reading.c = c
	}
	return nil
}

// checkModule checks a module's BTF against its base. With a distilled base it checks against that, and then relocates.
func checkModule(c *checker, opt Options) (*Refusal, error) {
	distilled := opt.Distilled
	if !c.gen.distilled {
		distilled = nil // an older kernel ignores the section, and uses its own BTF as the base
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
	// Below this line every record is complete, and every printed name is in range.
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
