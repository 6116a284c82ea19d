package encoder_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/encoder/elf"
)

var errWorn = errors.New("worn out")

// A wornDisk is a file in which a range of bytes cannot be read.
type wornDisk struct {
	io.ReaderAt
	from, to int64
}

func (d *wornDisk) ReadAt(b []byte, off int64) (int, error) {
	if off < d.to && off+int64(len(b)) > d.from {
		return 0, errWorn
	}
	return d.ReaderAt.ReadAt(b, off)
}

// TestReadError: if the system cannot read a unit or its header, that is the error of the image, for any number of workers.
func TestReadError(t *testing.T) {
	image := read(t, filepath.Join(imageFolder, "gcc12-x86_64-dwarf5-based.elf"))
	open := func(d *wornDisk) *elf.File {
		f, err := elf.NewFile(d, uint64(len(image)))
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	info := open(&wornDisk{ReaderAt: bytes.NewReader(image)}).Section(".debug_info")
	for _, workers := range []int{1, 2, 7} {
		for at := int64(0); at < int64(info.Size); at += int64(info.Size) / 13 {
			from := int64(info.Off) + at
			opt := likePeer()
			opt.Workers = workers
			_, err := opt.Encode(context.Background(), open(&wornDisk{bytes.NewReader(image), from, from + 1}))
			if !errors.Is(err, errWorn) || !strings.Contains(err.Error(), ".debug_info") {
				t.Errorf("%d workers, byte %#x of .debug_info: got error %v", workers, at, err)
			}
		}
	}
}
