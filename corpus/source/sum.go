package source

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
)

// Sum returns the SHA-256 of the first size bytes of r, in lower-case hex. If there are fewer, the error is io.ErrUnexpectedEOF.
func Sum(ctx context.Context, r io.ReaderAt, size int64) (string, error) {
	h := sha256.New()
	n, err := io.CopyBuffer(struct{ io.Writer }{h}, contextReader{ctx, io.NewSectionReader(r, 0, size)}, make([]byte, 1<<20))
	if err == nil && n < size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// A contextReader is a reader that fails once its context has ended.
type contextReader struct {
	ctx context.Context //nolint:containedctx // of the call that reads
	r   io.Reader
}

func (c contextReader) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(b)
}

// pinned compares the digest of the bytes with the pin of a reference, before anything else is read of them. It returns the digest, which is
// empty if there is no pin and nobody has computed it yet. known is what an earlier call returned for the origin.
func (b *Blob) pinned(ctx context.Context, ref Ref, o Origin, known string) (sum string, err error) {
	sum = cmp.Or(b.SHA256, known)
	if ref.SHA256 == "" {
		return sum, nil
	}
	if sum == "" {
		if b.At == nil {
			return "", fmt.Errorf("sha256: %s cannot be compared with a digest before it is read; download it first", o)
		}
		if sum, err = Sum(ctx, b.At, b.Size); err != nil {
			return "", err
		}
	}
	if sum != ref.SHA256 {
		return sum, &PinError{ref.Kind.IsPackage(), sum, ref.SHA256, ref.By()}
	}
	return sum, nil
}

// A PinError says that a package, or an image that is not in one, has another digest than the one it is pinned to.
type PinError struct {
	Package       bool
	Found, Pinned string
	By            string // who says so: the result of Ref.By
}

// Is reports whether target is ErrDigest.
func (e *PinError) Is(target error) bool { return target == ErrDigest }

func (e *PinError) Error() string {
	what := "file"
	if e.Package {
		what = "package"
	}
	return fmt.Sprintf("sha256: the %s has %s, %s %s", what, e.Found, e.By, e.Pinned)
}
