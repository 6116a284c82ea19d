package verify

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// A Base is the BTF of a kernel on which the BTF of modules builds. It is checked once for all of them, and may be used by any number of
// goroutines.
type Base struct{ c *checker }

// NewBase checks the BTF of a kernel as that kernel does. If order is nil, the magic number determines the byte order.
func NewBase(blob []byte, kernel Kernel, order binary.ByteOrder) (*Base, error) {
	c := newChecker(blob, Options{Kernel: kernel, Path: Vmlinux, Order: order})
	if r := c.run(nil); r != nil {
		return nil, fmt.Errorf("base: %w", r)
	}
	for i := range c.strs.ends { // computed here, so that nothing is written later
		if c.strs.ends[i] == nil {
			c.strs.ends[i] = mark(c.strs.strs, class(i))
		}
	}
	return &Base{c}, nil
}

// base returns the base of a module, apart from a distilled base. It is nil if there is none.
func (opt *Options) base() (*checker, error) {
	switch {
	case opt.Checked == nil && opt.Base == nil:
		return nil, nil
	case opt.Checked == nil:
		b, err := NewBase(opt.Base, opt.Kernel, opt.Order)
		if err != nil {
			return nil, err
		}
		return b.c, nil
	case opt.Base != nil:
		return nil, errors.New("two bases are given")
	case opt.Checked.c.kernel != opt.Kernel.known():
		return nil, fmt.Errorf("the base was checked for kernel %s", opt.Checked.c.kernel)
	}
	return opt.Checked.c, nil
}
