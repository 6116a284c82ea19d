package input

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Spool returns a path that can be opened several times. For standard input and pipes it copies the contents to a temporary file, which
// done removes. Other paths are returned unchanged.
func Spool(path string) (again string, done func(), err error) {
	none := func() {}
	if path != Stdin {
		st, err := os.Stat(path)
		if err != nil || st.Mode()&fs.ModeNamedPipe == 0 {
			return path, none, nil // the error, if any, is that of opening it
		}
	}
	in, _, size, err := openFile(path)
	if err != nil {
		return "", none, err
	}
	if size > 0 { // standard input is a file
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
		_ = os.Remove(f.Name()) // fails where it was removed at once
	}
	link := descriptor(f)
	if link != "" {
		_ = os.Remove(f.Name()) // nothing is left behind, however the program ends
	}
	r := bufio.NewReaderSize(inOrder(in, size), window)
	head, _ := r.Peek(window) // an error occurs again in Copy
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

// descriptor returns a path to an open file that works even if the file has no name, or "" if the system has no such paths.
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
