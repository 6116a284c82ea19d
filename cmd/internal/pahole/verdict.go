package pahole

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/btfbatch/btfbatch/cmd/internal/btffile"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/verify"
	"github.com/btfbatch/btfbatch/golden/escape"
)

// verifyVariable is the environment variable that lists kernels. It is not an option, because a kernel build cannot pass options that pahole
// lacks.
const verifyVariable = "BTFBATCH_VERIFY"

// kernels returns the names of the kernels that must accept the BTF.
func kernels() (list []string) {
	text := os.Getenv(verifyVariable)
	if text == "" {
		return nil
	}
	for word := range strings.SplitSeq(text, ",") {
		list = append(list, strings.TrimSpace(word))
	}
	return list
}

// judge verifies the BTF before it is written. The kernels that the environment lists must accept it. If it lists none, -V prints whether the
// newest kernel would refuse it. f is the image that the BTF is for, and located adds to a refusal where the type comes from.
func (r *run) judge(f *elf.File, wire, distilled []byte, located func(error) error) error {
	opt := verify.Options{Path: verify.Vmlinux, Order: f.Order, PtrSize: f.AddrSize()}
	if r.base != nil && (len(r.want.Kernels) > 0 || r.verbose) {
		base, err := btffile.ReadBase(btffile.Paths.Base, *r.base)
		if err != nil {
			return err
		}
		opt.Path, opt.Base, opt.Distilled = verify.Module, base.BTF, distilled
	}
	for _, k := range r.want.Kernels {
		opt.Kernel = k.Kernel
		switch err := verify.Check(wire, opt); {
		case errors.Is(err, verify.ErrNoPath):
			fmt.Fprintf(r.stderr, "pahole: %s: kernel %s does not read the BTF of modules, so it was not checked\n", verifyVariable, opt.Kernel)
		case err != nil:
			return fmt.Errorf("%s: a kernel would refuse the BTF, so it is not written: %w", verifyVariable, located(err))
		case r.verbose:
			fmt.Fprintf(r.stderr, "pahole: kernel %s accepts the BTF, path %s\n", opt.Kernel, opt.Path)
		}
	}
	if !r.verbose || len(r.want.Kernels) > 0 {
		return nil
	}
	opt.Kernel = verify.Newest
	if err := verify.Check(wire, opt); err != nil {
		fmt.Fprintf(r.stderr, "pahole: warning: a kernel would refuse the BTF: %s\n", escape.Line(located(err).Error()))
	}
	return nil
}
