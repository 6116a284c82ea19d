package batch

import (
	"context"
	"fmt"

	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/btf"
)

// located is the error of BTF that a kernel refuses with the unit, the source file and the DIE that the type comes from, which takes a
// second look at the image. Where the type comes from none, or the image cannot be read again, the error stays what it is.
func (t *target) located(ctx context.Context, it *corpus.Item, cause error) error {
	if t.refusal == nil || t.refusal.TypeID == 0 {
		return cause
	}
	o := t.object
	if t.refused.distilled != nil { // other ids, as it continues another base
		base, err := btf.Parse(t.refused.distilled, nil)
		if err == nil {
			o, err = btf.Parse(t.refused.wire, base)
		}
		if err != nil {
			return cause
		}
	}
	id := btf.ID(t.refusal.TypeID)
	if at := t.refusal.Offset; t.refusal.Kind == btf.KindDatasec && at+4 <= uint64(len(t.refused.wire)) { // an entry begins with its variable
		if v := btf.ID(t.order.Uint32(t.refused.wire[at:])); o.Own(v) && o.At(v).Kind() == btf.KindVar {
			id = v
		}
	}
	image, err := it.Open()
	if err != nil {
		return cause
	}
	defer image.Close()
	from, err := encoder.Locate(ctx, image.File, t.options, o, id)
	if err != nil {
		return cause
	}
	return fmt.Errorf("%w; it comes from %s", cause, from)
}
