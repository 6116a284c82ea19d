package batch

import (
	"context"

	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/elf"
)

// located is the error of BTF that a kernel refuses with the unit, the source file and the DIE that the type comes from, which takes a
// second look at the image.
func (t *target) located(ctx context.Context, it *corpus.Item, cause error) error {
	if t.refused == nil {
		return cause
	}
	image, err := it.Open()
	if err != nil {
		return cause
	}
	defer image.Close()
	return encoder.Refused(ctx, []*elf.File{image.File}, t.options, t.object, t.refused.wire, t.refused.distilled, t.refusal, cause)
}
