package corpus

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/btfbatch/btfbatch/config"
)

// glob lists the files that an image's pattern matches, sorted by name.
func glob(im config.Image) ([]string, error) {
	pattern := filepath.Join(im.Path, im.Glob)
	if st, err := os.Stat(im.Path); err != nil {
		return nil, fmt.Errorf("glob %s: %w", pattern, err)
	} else if !st.IsDir() {
		return nil, fmt.Errorf("glob %s: %s is not a folder", pattern, im.Path)
	}
	names, err := config.Match(im.Path, im.Glob)
	switch {
	case err != nil:
		return nil, fmt.Errorf("glob %s: %w", pattern, err)
	case len(names) == 0:
		return nil, noMatch(pattern)
	case len(names) > 1 && !im.NamedByFile():
		return nil, fmt.Errorf("glob %s matches %d files, which would all be named %q; put ${{ image.file }} into it",
			pattern, len(names), im.Name)
	}
	return names, nil
}

// noMatch is the error of a glob that matches no file. Its cause is fs.ErrNotExist.
type noMatch string

func (pattern noMatch) Error() string { return fmt.Sprintf("glob %s matches no file", string(pattern)) }

// Is reports whether target is fs.ErrNotExist.
func (noMatch) Is(target error) bool { return target == fs.ErrNotExist }
