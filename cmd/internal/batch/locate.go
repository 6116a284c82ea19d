package batch

import (
	"context"

	"github.com/btfbatch/btfbatch/encoder/elf"
)

// located is the error of BTF that a kernel refuses with the unit, the source file and the DIE that the type comes from, for which the
// image is read a second time.
func (t *target) located(ctx context.Context, cause error) error {
	if t.refused == nil {
		return cause
	}
	return t.encoder.LocateRefusal(ctx, []*elf.File{t.image}, t.object, *t.refused, t.refusal, cause)
}
