package publish

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// New creates a file. It is an error if something has this name: nothing is replaced. A file that cannot be written whole is removed.
func New(path, text string) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666) //nolint:gosec // for everybody to read, less the umask
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists and is not overwritten", path)
	} else if err != nil {
		return err
	}
	if _, err = f.WriteString(text); err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		remove(path)
	}
	return err
}
