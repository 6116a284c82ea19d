package codecs

import (
	"compress/bzip2"
	"errors"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	kernelxz "github.com/mikelolasagasti/xz"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"

	"github.com/btfbatch/btfbatch/encoder/input"
)

// maxWindow is the longest window of a stream, in bytes: that of zstd with --long, and more than xz -9 uses.
const maxWindow = 128 << 20

func init() {
	input.Register(input.Gzip, input.Codec{Open: openGzip, Pack: packGzip})
	input.Register(input.GzipMember, input.Codec{Open: openMember})
	input.Register(input.Zstd, input.Codec{Open: openZstd, Pack: packZstd, Fill: fillZstd})
	input.Register(input.XZ, input.Codec{Open: openXZ})
	input.Register(input.KernelXZ, input.Codec{Open: openKernelXZ})
	input.Register(input.LZMA, input.Codec{Open: openLZMA})
	input.Register(input.Bzip2, input.Codec{Open: openBzip2})
}

func openGzip(r io.Reader) (io.Reader, func(), error) {
	z, err := gzip.NewReader(r)
	return z, nil, err
}

func openMember(r io.Reader) (io.Reader, func(), error) {
	z, err := gzip.NewReader(r)
	if err == nil {
		z.Multistream(false)
	}
	return z, nil, err
}

// packGzip writes no name and no time. It has one level.
func packGzip(w io.Writer, _ bool) (io.WriteCloser, error) {
	return gzip.NewWriterLevel(w, gzip.DefaultCompression)
}

func openZstd(r io.Reader) (io.Reader, func(), error) {
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(input.Highest), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, nil, err
	}
	return z, z.Close, nil
}

// packZstd uses one goroutine and a fixed level: the output does not depend on the machine.
func packZstd(w io.Writer, dense bool) (io.WriteCloser, error) {
	level := zstd.SpeedBetterCompression
	if dense {
		level = zstd.SpeedBestCompression
	}
	return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(level))
}

func fillZstd(b, out []byte) error {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecodeAllCapLimit(true),
		zstd.WithDecoderMaxWindow(input.Highest)) // no window is allocated, because out serves as one
	if err != nil {
		return err
	}
	defer d.Close()
	got, err := d.DecodeAll(b, out[:0:len(out)]) // got is the same memory
	switch {
	case errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return input.ErrLonger
	case err == nil && len(got) != len(out):
		return io.ErrUnexpectedEOF
	}
	return err
}

func openXZ(r io.Reader) (io.Reader, func(), error) {
	z, err := xz.NewReader(r)
	return z, nil, err
}

// openKernelXZ uses a library that knows the filter for instructions of x86.
func openKernelXZ(r io.Reader) (io.Reader, func(), error) {
	z, err := kernelxz.NewReader(r, maxWindow)
	return z, nil, err
}

func openLZMA(r io.Reader) (io.Reader, func(), error) {
	z, err := lzma.NewReader(r)
	return &marked{z}, nil, err
}

func openBzip2(r io.Reader) (io.Reader, func(), error) { return bzip2.NewReader(r), nil, nil }

// marked is lzma data that ends with a marker, as that of kernels does. The library does not miss it where the data ends early.
type marked struct{ *lzma.Reader }

func (m *marked) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	if errors.Is(err, io.EOF) && !m.EOSMarker() {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
