package input

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// readOnly are the endings of compressed files and archives that are never written.
var readOnly = []string{".xz", ".bz2", ".lz4", ".lzma", ".lzo", ".lz", ".z", ".br", ".tar", ".tgz", ".txz", ".tzst", ".zip", ".7z"}

// CheckWritable reports whether a file of that name can be written as its name says.
func CheckWritable(name string) error {
	ext := strings.ToLower(filepath.Ext(name))
	if slices.Contains(readOnly, ext) {
		return fmt.Errorf("%s is not written: outputs are compressed as .zst or .gz, or not at all", ext)
	}
	return nil
}

// Compression is the format in which a file of that name is written, by the word of File.Packed; empty for a plain one.
func Compression(name string) string {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".zst", ".zstd":
		return "zstd"
	case ".gz":
		return "gzip"
	}
	return ""
}

// NewWriter compresses what is written to w as the name of the file says: .zst, .gz, or not. The same bytes give the same file.
func NewWriter(w io.Writer, name string) (io.WriteCloser, error) {
	if err := CheckWritable(name); err != nil {
		return nil, err
	}
	return NewPacker(w, Compression(name))
}

// NewPacker compresses what is written to w in the format that File.Packed names; empty is none.
func NewPacker(w io.Writer, packed string) (io.WriteCloser, error) {
	switch packed {
	case "":
		return plain{w}, nil
	case "zstd": // one goroutine and a fixed level, so that nothing depends on the machine
		return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedBetterCompression))
	case "gzip": // without a name and a time
		return gzip.NewWriterLevel(w, gzip.DefaultCompression)
	}
	return nil, fmt.Errorf("%s is read only: write .zst or .gz, or a plain file", packed)
}

type plain struct{ io.Writer }

func (plain) Close() error { return nil }
