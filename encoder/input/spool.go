package input

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Spool makes a path that may be opened several times of one that may not: of the standard input and of pipes it makes a temporary
// file, which done removes. It leaves every other path alone.
func Spool(path string) (again string, done func(), err error) {
	none := func() {}
	if path != Stdin {
		st, err := os.Stat(path)
		if err != nil || st.Mode()&fs.ModeNamedPipe == 0 {
			return path, none, nil // whoever opens it says what is wrong
		}
	}
	in, _, size, err := openFile(path)
	if err != nil {
		return "", none, err
	}
	if size > 0 { // the standard input is a file
		if link := descriptor(in); link != "" {
			return link, none, nil
		}
	}
	if in != os.Stdin {
		defer in.Close()
	}
	f, err := os.CreateTemp("", "btfbatch-*")
	if err != nil {
		return "", none, err
	}
	done = func() {
		f.Close()
		_ = os.Remove(f.Name()) // there is none where it went at once
	}
	link := descriptor(f)
	if link != "" {
		_ = os.Remove(f.Name()) // so that nothing stays behind, however the program ends
	}
	r := bufio.NewReaderSize(in, window)
	head, _ := r.Peek(window) // what is wrong will be again
	limit := limitOf(Recognise(head))
	if packing(head) != nil {
		limit = maxImage
	}
	n, err := io.Copy(f, io.LimitReader(r, limit+1))
	if err == nil && n > limit {
		err = tooLong(limit)
	}
	if err = errors.Join(err, f.Chmod(0o644)); err != nil {
		done()
		return "", none, Named(path, err)
	}
	if link != "" {
		return link, done, nil
	}
	return f.Name(), done, nil
}

// descriptor is a path that leads to an open file even when that has no name, or empty where the system has none.
func descriptor(f *os.File) string {
	link := fmt.Sprintf("/proc/self/fd/%d", f.Fd())
	a, err := os.Stat(link)
	if err != nil {
		return ""
	}
	if b, err := f.Stat(); err != nil || !os.SameFile(a, b) {
		return ""
	}
	return link
}
