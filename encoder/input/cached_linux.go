package input

import (
	"io"
	"os"
	"runtime"
	"sync/atomic"
	"unsafe" // the system call takes the address of a list of buffers

	"golang.org/x/sys/unix"
)

// A cachedFile reads a file without telling Go's scheduler, as long as the system has the bytes in memory.
//
// The problem: an ordinary read may wait for a disk. The scheduler therefore watches it, and after 20 microseconds gives the processor of the
// reading goroutine to others. A read of a CU takes about that long even if nothing has to be fetched, only copied. The goroutine then waits
// until it gets a processor back. On a busy machine that costs a twentieth of the CPU time of a kernel.
//
// The idea: Linux can be asked to copy only what is in memory (RWF_NOWAIT). Such a call never waits, so the scheduler need not know of it.
// What is not in memory is read in the ordinary way.
type cachedFile struct {
	file    *os.File
	fd      uintptr
	refused atomic.Bool // the system or the file system does not support such reads
}

// mostCached is the number of bytes of the longest read that the scheduler does not know of. The goroutine cannot be interrupted meanwhile, and
// a longer copy takes more than a millisecond.
const mostCached = 4 << 20

// cached returns a reader of a regular file, which must stay open while it is used.
func cached(f *os.File) io.ReaderAt { return &cachedFile{file: f, fd: f.Fd()} }

// OSFile returns the file itself, for copies that the operating system makes.
func (c *cachedFile) OSFile() *os.File { return c.file }

// ReadAt implements io.ReaderAt.
func (c *cachedFile) ReadAt(b []byte, off int64) (n int, err error) {
	if len(b) > 0 && len(b) <= mostCached && off >= 0 && !c.refused.Load() {
		if n = c.copied(b, off); n == len(b) {
			return n, nil
		}
	}
	more, err := c.file.ReadAt(b[n:], off+int64(n))
	return n + more, err
}

// copied reads the first bytes at an offset that are in memory, and returns their number.
func (c *cachedFile) copied(b []byte, off int64) int {
	v := unix.Iovec{Base: &b[0]}
	v.SetLen(len(b))
	n, _, errno := unix.RawSyscall6(unix.SYS_PREADV2, c.fd, uintptr(unsafe.Pointer(&v)), 1, uintptr(off), uintptr(uint64(off)>>32), unix.RWF_NOWAIT)
	runtime.KeepAlive(c.file)
	switch errno {
	case 0:
		return int(n)
	case unix.EAGAIN, unix.EINTR:
	default:
		c.refused.Store(true)
	}
	return 0
}
