package input

import (
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// readOnly are the extensions of compressed files and archives that btfbatch does not write.
var readOnly = []string{".xz", ".bz2", ".lz4", ".lzma", ".lzo", ".lz", ".z", ".br", ".tar", ".tgz", ".txz", ".tzst", ".zip", ".7z"}

// written maps the extensions of compressed files that btfbatch writes to the formats, as File.Packed names them.
var written = map[string]string{".zst": Zstd.Name(), ".zstd": Zstd.Name(), ".gz": Gzip.Name()}

// ReadOnly lists the extensions that CheckWritable refuses.
func ReadOnly() []string { return slices.Clone(readOnly) }

// Compressed lists the extensions of compressed files that btfbatch writes.
func Compressed() []string { return slices.Sorted(maps.Keys(written)) }

// CheckWritable returns an error if the extension of a name stands for a format that btfbatch does not write.
func CheckWritable(name string) error {
	ext := strings.ToLower(filepath.Ext(name))
	if slices.Contains(readOnly, ext) {
		return fmt.Errorf("cannot write %s: outputs are compressed as .zst or .gz, or not at all", ext)
	}
	return nil
}

// Compression returns the format in which a file of that name is written, as File.Packed names it; "" for a plain file.
func Compression(name string) string {
	return written[strings.ToLower(filepath.Ext(name))]
}

// archives maps the extensions of archives that are written to the formats of their compression.
var archives = map[string]string{".tar.xz": XZ.Name(), ".tar.zst": Zstd.Name(), ".tar.gz": Gzip.Name()}

// Archives lists the extensions that Archive knows.
func Archives() []string { return slices.Sorted(maps.Keys(archives)) }

// Archive returns the format in which an archive of that name is compressed, as File.Packed names it; "" if btfbatch writes no such archive.
func Archive(name string) string {
	for end, packed := range archives {
		if len(name) > len(end) && strings.EqualFold(name[len(name)-len(end):], end) {
			return packed
		}
	}
	return ""
}

// NewWriter returns a writer that compresses by the extension of the name: .zst, .gz, or not at all. The same bytes give the same file.
func NewWriter(w io.Writer, name string) (io.WriteCloser, error) {
	if err := CheckWritable(name); err != nil {
		return nil, err
	}
	return NewPacker(w, Compression(name))
}

// NewPacker returns a writer that compresses in a format that File.Packed names; "" is none. The same bytes give the same file.
func NewPacker(w io.Writer, packed string) (io.WriteCloser, error) {
	return newPacker(w, packed, false)
}

// NewDensePacker is NewPacker for files that are kept for long: it takes several times as long, to make the file smaller.
func NewDensePacker(w io.Writer, packed string) (io.WriteCloser, error) {
	return newPacker(w, packed, true)
}

func newPacker(w io.Writer, packed string, dense bool) (io.WriteCloser, error) {
	switch packed {
	case "":
		return plain{w}, nil
	case Zstd.Name():
		return Zstd.pack(w, dense)
	case Gzip.Name():
		return Gzip.pack(w, dense)
	}
	return nil, fmt.Errorf("%s is read only: write .zst or .gz, or a plain file", packed)
}

type plain struct{ io.Writer }

func (plain) Close() error { return nil }
