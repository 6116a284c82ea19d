package encoder

import (
	"context"
	"errors"

	"github.com/btfbatch/btfbatch/encoder/elf"
)

// DecideName calls the hooks OnFunc and OnVar for the functions and variables of one name, and for some others. It creates no BTF. first is
// the result of encoding the same image, perhaps with another profile: what it read is not checked again.
//
// In a large image, only the units that mention the name are read, unless first shows that units depend on each other. That costs a tenth of
// an encoding. An error in another unit, which these options cause and those of first do not, is then not found.
func (e *Encoder) DecideName(ctx context.Context, f *elf.File, name string, first *Result) error {
	only := *e
	if first.oneByOne && first.infoSize >= largeInfo {
		only.only = name
	}
	only.VerifyDedup = false
	_, err := only.Encode(ctx, f)
	if only.only != "" && errors.Is(err, ErrNoTypes) { // no unit mentions the name
		err = nil
	}
	return err
}
