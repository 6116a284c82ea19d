package golden

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/input"
	"github.com/btfbatch/btfbatch/golden/dump"
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
	return input.OpenStream(path, input.Dump, input.Text, input.CSource, input.Empty)
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

// Update writes the raw dump of an object as a golden, which put puts in its place.
// A golden that exists stays compressed or plain as it is; one that does not is compressed if its name ends in .zst or .gz. The
// error is ErrCI in CI.
func Update(path string, o *btf.Object, put Put) error {
	if CI() {
		return fmt.Errorf("%s: %w", path, ErrCI)
	}
	packed := input.Compression(path)
	if f, err := open(path); err == nil {
		packed = f.Packed
		f.Close()
	} else if err := input.CheckWritable(path); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return put(path, func(w io.Writer) error { return writeDump(w, o, packed) })
}

func writeDump(w io.Writer, o *btf.Object, packed string) error {
	z, err := input.NewPacker(w, packed)
	if err != nil {
		return err
	}
	return errors.Join(dump.WriteRaw(z, o), z.Close())
}
