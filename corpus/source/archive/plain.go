package archive

import (
	"context"
	"io"

	"github.com/btfbatch/btfbatch/corpus/source/xz"
)

// A Fetcher is an io.ReaderAt whose bytes come from far away. Fetch fetches some of them before they are read.
type Fetcher = xz.Fetcher

// A plainView is the View of a file that is stored as it is.
type plainView struct {
	*io.SectionReader
	in   io.ReaderAt
	off  int64      // of the file in in
	want [][2]int64 // offset and size, in the file
}

// NewPlainView returns a view of a file that is stored as it is, at an offset of r.
func NewPlainView(r io.ReaderAt, off, size int64) View {
	return &plainView{SectionReader: io.NewSectionReader(r, off, size), in: r, off: off}
}

func (v *plainView) Want(off, size int64)     { v.want = append(v.want, [2]int64{off, size}) }
func (v *plainView) WantOnce(off, size int64) { v.Want(off, size) }
func (v *plainView) Close() error             { return nil }

// Demand returns nothing: there is nothing to decode.
func (v *plainView) Demand() (stay, pass int64) { return 0, 0 }

// Ahead fetches the parts in the order of the calls of Want.
func (v *plainView) Ahead(ctx context.Context) error {
	f, ok := v.in.(Fetcher)
	if !ok {
		return nil
	}
	for _, x := range v.want {
		if err := f.Fetch(ctx, v.off+x[0], x[1]); err != nil {
			return err
		}
	}
	return nil
}
