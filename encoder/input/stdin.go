package input

import (
	"bufio"
	"io"
	"io/fs"
	"os"
	"sync"
)

// What comes through a pipe cannot be read again. So what was looked at, to find out what it is, is kept for whoever reads the standard input.
var pipe struct {
	sync.Mutex
	file *os.File // that r reads: tests replace os.Stdin
	r    *bufio.Reader
}

// stdinReader returns what reads the standard input from front to back.
func stdinReader() *bufio.Reader {
	pipe.Lock()
	defer pipe.Unlock()
	if pipe.file != os.Stdin {
		pipe.file, pipe.r = os.Stdin, bufio.NewReaderSize(os.Stdin, window)
	}
	return pipe.r
}

// OpenStdin returns the standard input as a file that can be read at any offset, if it is one, with what is known about it, or else as a stream that can be
// read once.
func OpenStdin() (f *os.File, st fs.FileInfo, stream io.Reader, err error) {
	f, size, err := openAny(Stdin)
	switch {
	case err != nil:
		return nil, nil, nil, err
	case size == 0:
		return nil, nil, stdinReader(), nil
	}
	st, err = f.Stat()
	return f, st, nil, err
}

// KindOfStdin returns the kind of the standard input by its first 64 bytes, which are still there for whoever reads it. It may wait for them.
func KindOfStdin() Kind {
	f, _, stream, err := OpenStdin()
	var head []byte
	switch {
	case err != nil: // whoever opens it again reports that
		return Unknown
	case f != nil:
		head = make([]byte, 64)
		n, _ := f.ReadAt(head, 0)
		head = head[:n]
	default:
		head, _ = stream.(*bufio.Reader).Peek(64)
	}
	return Recognise(head)
}

// inOrder returns what reads a file that openFile has opened from front to back.
func inOrder(f *os.File, size int64) io.Reader {
	if f == os.Stdin && size == 0 {
		return stdinReader()
	}
	return f
}
