package golden

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/input"
	_ "github.com/btfbatch/btfbatch/encoder/input/codecs" // goldens may be compressed
	"github.com/btfbatch/btfbatch/golden/dense"
	"github.com/btfbatch/btfbatch/golden/dump"
	"github.com/btfbatch/btfbatch/golden/selected"
)

// CI tells whether the environment says that this is a CI system: CI is true, or whatever else such systems set, but not false.
func CI() bool {
	value := strings.TrimSpace(os.Getenv("CI"))
	is, err := strconv.ParseBool(value)
	return is || err != nil && value != ""
}

// ErrCI is what Update refuses with in CI: a run that checks must not settle what it checks.
var ErrCI = errors.New("goldens are not rewritten in CI (CI=true, or what else says so)")

// open opens a golden, plain or compressed, whatever its name says. A text that is no dump differs from every dump; what is no text is
// no golden.
func open(path string) (*input.Stream, error) {
	return input.OpenStream(path, input.Dump, input.Dense, input.Selected, input.Text, input.CSource, input.Empty)
}

// readSome reads a golden whole, but no more than some bytes of it.
func readSome(path string, most int64) ([]byte, error) {
	f, err := open(path)
	if err != nil {
		return nil, input.Named(path, err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most))
	return text, input.Named(path, err)
}

// A Put puts a file in its place, in one step: whoever reads it sees the old text or the new.
type Put func(path string, write func(w io.Writer) error) error

// A Form is what the manifest says about the form of a golden.
type Form struct {
	Dialect   string              // of a raw dump; may be empty
	Selection *selected.Selection // nil for a raw dump
}

// Update writes an object as a golden, which put puts in its place: its raw dump, or its selected declarations.
// A golden that exists stays compressed or plain as it is; one that does not is compressed if its name ends in .zst or .gz. A new golden
// that is compressed with zstd has the form of package dense, unless it has a dialect; one that exists keeps its form. The
// error is ErrCI in CI. A golden that exists keeps the comment line with its dialect; a dialect that is not empty adds one.
func Update(path string, form Form, o *btf.Object, put Put) error {
	if CI() {
		return fmt.Errorf("%s: %w", path, ErrCI)
	}
	return Write(path, path, form, o, put)
}

// Write writes an object to a path, as Update does, in the form of the golden at another path, which need not exist: compressed or
// plain, with a comment line or without. A selection must not name declarations that the object lacks.
func Write(path, like string, form Form, o *btf.Object, put Put) error {
	packed := input.Compression(path)
	small := packed == "zstd" && form.Dialect == ""
	if f, err := open(like); err == nil {
		packed, small = f.Packed, f.Kind == input.Dense && form.Dialect == ""
		was, _ := readDialect(bufio.NewReader(f))
		form.Dialect = cmp.Or(form.Dialect, was)
		f.Close()
	} else if err := input.CheckWritable(path); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if form.Selection != nil {
		text, err := selectedText(o, form.Selection)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return put(path, func(w io.Writer) error { return writeText(w, text, packed) })
	}
	if small {
		if data, err := dense.Append(nil, o); err == nil {
			return put(path, func(w io.Writer) error { return writeText(w, data, packed) })
		} else if !errors.Is(err, dense.ErrCannot) {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return put(path, func(w io.Writer) error { return writeDump(w, o, packed, form.Dialect) })
}

func writeDump(w io.Writer, o *btf.Object, packed, dialect string) error {
	z, err := input.NewDensePacker(w, packed)
	if err != nil {
		return err
	}
	if dialect != "" {
		_, err = fmt.Fprintf(z, "%s%s\n", dialectMark, dialect)
	}
	return errors.Join(err, dump.WriteRaw(z, o), z.Close())
}
