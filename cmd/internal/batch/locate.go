package batch

import (
	"context"

	"github.com/btfbatch/btfbatch/encoder/elf"
)

// located adds to a kernel's refusal the CU, the source file and the DIE that the refused type comes from. This encodes the image a second
// time.
func (t *target) located(ctx context.Context, cause error) error {
	if t.refused == nil {
		return cause
	}
	return t.encoder.LocateRefusal(ctx, []*elf.File{t.image}, t.object, *t.refused, t.refusal, cause)
}
