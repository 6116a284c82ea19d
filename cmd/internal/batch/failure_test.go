package batch

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/source"
	"github.com/btfbatch/btfbatch/golden/report"
)

type answer bool

func (a answer) Error() string   { return "503" }
func (a answer) Transient() bool { return bool(a) }

// TestFetched: bytes that did not come from a network have a kind of failure of their own, also as the cause of another error. Bytes with another
// digest do not.
func TestFetched(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want report.Failure
	}{
		{source.NotFetched(errors.New("404")), report.Fetch},
		{fmt.Errorf("p.deb: %w", source.NotFetched(fs.ErrNotExist)), report.Fetch},
		{source.WrongDigest(errors.New("sha256")), report.Mismatch},
		{&source.PinError{Package: true}, report.Mismatch},
		{errors.New("damaged"), report.Unreadable},
	} {
		if got := kindOf(causedBy(report.Unreadable, tt.err)); got != tt.want {
			t.Errorf("%v: got %s, want %s", tt.err, got, tt.want)
		}
	}
}

// TestTransient: a full disk and a server that may answer later are worth another attempt, wherever in a chain of errors they are.
func TestTransient(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{errors.New("CU 3 is damaged"), false},
		{fs.ErrNotExist, false},
		{as(report.Write, fmt.Errorf("out/a.btf: %w", syscall.ENOSPC)), true},
		{errors.Join(errors.New("first"), &fs.PathError{Op: "write", Path: "a", Err: syscall.EDQUOT}), true},
		{&fs.PathError{Op: "open", Path: "a", Err: syscall.EACCES}, false},
		{as(report.BaseFailed, fmt.Errorf("base: %w", answer(true))), true},
		{answer(false), false},
	} {
		if got := Transient(tt.err); got != tt.want {
			t.Errorf("%v: got %v, want %v", tt.err, got, tt.want)
		}
	}
}
