package verify

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// A Base is the BTF of a kernel that modules continue, checked once for all of them. Any number of goroutines may use it.
type Base struct{ c *checker }

// NewBase checks the BTF of a kernel as that kernel does. A nil order is the one in which the magic reads right.
func NewBase(blob []byte, kernel Kernel, order binary.ByteOrder) (*Base, error) {
	c := newChecker(blob, Options{Kernel: kernel, Path: Vmlinux, Order: order})
	if r := c.run(nil); r != nil {
		return nil, fmt.Errorf("base: %w", r)
	}
	for i := range c.strs.ends { // made here, so that nothing is written from now on
		if c.strs.ends[i] == nil {
			c.strs.ends[i] = mark(c.strs.strs, class(i))
		}
	}
	return &Base{c}, nil
}

// base is what a module continues, besides a distilled base; nil if there is none.
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
