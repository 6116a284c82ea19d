package golden

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/golden/dump"
)

// ErrCI is what Update refuses with where the environment says CI=true: a run that checks must not settle what it checks.
var ErrCI = errors.New("goldens are not rewritten in CI (CI=true)")

// zstdMagic starts every zstd frame.
var zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}

// maxGolden bounds what is read from a golden, so that no small file fills the memory.
const maxGolden = 1 << 30

// A file is a golden that is open for reading, decompressed on the way.
type file struct {
	io.Reader
	f *os.File
	z *zstd.Decoder // nil for a plain file
}

// open opens a golden, plain or compressed, whatever its name says.
func open(path string) (*file, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	b := bufio.NewReaderSize(f, 1<<18)
	if head, _ := b.Peek(len(zstdMagic)); !bytes.Equal(head, zstdMagic) {
		return &file{Reader: b, f: f}, nil
	}
	z, err := zstd.NewReader(b, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxGolden))
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &file{Reader: z, f: f, z: z}, nil
}

func (f *file) Close() {
	if f.z != nil {
		f.z.Close()
	}
	f.f.Close() // it was only read
}

// readAll reads a golden whole.
func readAll(path string) ([]byte, error) {
	f, err := open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxGolden+1))
	if err == nil && len(text) > maxGolden {
		err = fmt.Errorf("more than %d bytes of text", maxGolden)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return text, nil
}

// A Put puts a file in its place, in one step: whoever reads it sees the old text or the new.
type Put func(path string, write func(w io.Writer) error) error

// Update writes the raw dump of an object as a golden, which put puts in its place.
// A golden that exists stays compressed or plain as it is; one that does not is compressed if its name ends in .zst. The
// error is ErrCI where CI=true.
func Update(path string, o *btf.Object, put Put) error {
	if ci, _ := strconv.ParseBool(os.Getenv("CI")); ci {
		return fmt.Errorf("%s: %w", path, ErrCI)
	}
	compress := strings.HasSuffix(path, ".zst")
	if f, err := open(path); err == nil {
		compress = f.z != nil
		f.Close()
	}
	return put(path, func(w io.Writer) error { return writeDump(w, o, compress) })
}

func writeDump(w io.Writer, o *btf.Object, compress bool) error {
	if !compress {
		return dump.WriteRaw(w, o)
	}
	// One goroutine and a fixed level: the same types give the same file.
	z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedBetterCompression))
	if err != nil {
		return err
	}
	if err := dump.WriteRaw(z, o); err != nil {
		return errors.Join(err, z.Close())
	}
	return z.Close()
}
