package locking

import (
	"context"
	"os"
	"time"

	"github.com/gofrs/flock"
)

// Hold keeps other processes from making a lock of the same manifest, until release is called. waiting is called if another process makes one. The
// manifest itself is what is held, so no other file is needed. Where the file system cannot do that, nothing is held; the lock is then the one that was
// written last.
func Hold(ctx context.Context, manifest string, waiting func()) (release func(), err error) {
	if st, err := os.Stat(manifest); err == nil && !st.Mode().IsRegular() { // opening a pipe would wait for a writer
		return func() {}, nil
	}
	l := flock.New(manifest, flock.SetFlag(os.O_RDONLY))
	ok, err := l.TryLock()
	if err == nil && !ok {
		waiting()
		_, err = l.TryLockContext(ctx, 50*time.Millisecond)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return func() {}, nil //nolint:nilerr // the manifest that cannot be opened is an error of whoever reads it
	}
	return func() { _ = l.Unlock() }, nil
}
