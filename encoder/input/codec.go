package input

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
)

// Compressed data is read and written by libraries, which take longer to initialise than a small module takes to encode. So this package does not
// import them: package codecs does, and registers them here. A program that reads compressed files imports that package.

// A CodecID stands for a format of compressed data, or for a variant of one.
type CodecID uint8

// The codecs.
const (
	Gzip       CodecID = iota
	GzipMember         // gzip data that ends after its first member
	Zstd
	XZ
	KernelXZ // xz data of a kernel as it boots, which has a filter for instructions
	LZMA     // the format before xz, with a marker at its end
	Bzip2
	numCodecs
)

var codecNames = [numCodecs]string{Gzip: "gzip", GzipMember: "gzip", Zstd: "zstd", XZ: "xz", KernelXZ: "xz", LZMA: "lzma", Bzip2: "bzip2"}

// Name returns the name of the format, as in File.Packed.
func (c CodecID) Name() string { return codecNames[c] }

// A Codec reads a format, and may write it.
type Codec struct {
	// Open returns a reader of what is compressed in r. end releases it; it may be nil.
	Open func(r io.Reader) (inside io.Reader, end func(), err error)
	// Pack returns a writer that compresses into w. If dense is true, it takes longer for fewer bytes. It is nil for a format that is only read.
	Pack func(w io.Writer, dense bool) (io.WriteCloser, error)
	// Fill decompresses all of b into out. It returns ErrLonger if out has too few bytes, io.ErrUnexpectedEOF if it has too many. It may be nil.
	Fill func(b, out []byte) error
}

// ErrLonger is the error of a codec if the contents are longer than expected.
var ErrLonger = errors.New("data is longer than the stated size")

// ErrNoCodec is the error for data of a format whose codec is not registered.
var ErrNoCodec = errors.New("the program does not import the package encoder/input/codecs")

var codecs [numCodecs]*Codec

// Register registers a codec. It is called by init functions.
func Register(id CodecID, c Codec) { codecs[id] = &c }

// Registered reports whether all codecs are registered.
func Registered() bool {
	for _, c := range codecs {
		if c == nil {
			return false
		}
	}
	return true
}

// missed is whether a codec was wanted that was not registered.
var missed atomic.Bool

// Missed reports whether a codec was wanted that is still not registered. Whoever cannot know that all errors reach him asks this before he writes.
func Missed() bool { return missed.Load() && !Registered() }

// codec returns a codec that is registered.
func (c CodecID) codec() (*Codec, error) {
	if codecs[c] == nil {
		missed.Store(true)
		return nil, fmt.Errorf("cannot read or write the format %s: %w", c.Name(), ErrNoCodec)
	}
	return codecs[c], nil
}

// open opens compressed data.
func (c CodecID) open(r *bufio.Reader) (inside io.Reader, end func(), err error) {
	codec, err := c.codec()
	if err != nil {
		return nil, nil, err
	}
	return codec.Open(r)
}

// pack returns a writer that compresses into w.
func (c CodecID) pack(w io.Writer, dense bool) (io.WriteCloser, error) {
	codec, err := c.codec()
	if err != nil {
		return nil, err
	}
	return codec.Pack(w, dense)
}

// Fill decompresses b, which must fill out.
func (c CodecID) Fill(b, out []byte) error {
	codec, err := c.codec()
	if err != nil {
		return err
	}
	return codec.Fill(b, out)
}
