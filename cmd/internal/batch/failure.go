package batch

import (
	"errors"
	"io/fs"
	"syscall"

	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/corpus/source"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/verify"
	"github.com/btfbatch/btfbatch/golden/report"
)

// A failure is an error of an image with its kind for the report. The outermost one counts, because the steps of an image know best what
// went wrong: a base that cannot be read is a failure of the base for the images that need it.
type failure struct {
	kind report.Failure
	error
}

func (f *failure) Unwrap() error { return f.error }

// as gives an error a kind.
func as(kind report.Failure, err error) error {
	if err == nil {
		return nil
	}
	return &failure{kind, err}
}

// causedBy gives an error without a kind that of its cause, if it is known, or else the usual kind of its step.
func causedBy(usual report.Failure, err error) error {
	if _, ok := errors.AsType[*failure](err); ok || err == nil {
		return err
	}
	for _, c := range []struct {
		cause error
		kind  report.Failure
	}{
		{corpus.ErrMismatch, report.Mismatch}, {source.ErrDigest, report.Mismatch},
		{source.ErrFetch, report.Fetch}, {source.ErrNoMember, report.Missing},
		{encoder.ErrNoDWARF, report.NoDWARF}, {encoder.ErrNoDebugFile, report.NoDWARF}, {encoder.ErrNoTypes, report.NoTypes},
		{encoder.ErrDedupDiffers, report.SelfCheck}, {encoder.ErrCollision, report.SelfCheck},
		{fs.ErrNotExist, report.Missing},
	} {
		if errors.Is(err, c.cause) {
			return as(c.kind, err)
		}
	}
	if _, refused := errors.AsType[*verify.Refusal](err); refused {
		return as(report.Refused, err)
	}
	return as(usual, err)
}

// kindOf returns the kind of an error.
func kindOf(err error) report.Failure {
	if f, ok := errors.AsType[*failure](err); ok {
		return f.kind
	}
	return report.Other
}

// Transient reports whether another attempt can succeed: the network or a server failed, or a disk is full.
func Transient(err error) bool {
	if t, ok := errors.AsType[interface {
		error
		Transient() bool
	}](err); ok && t.Transient() {
		return true
	}
	for _, errno := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.ESTALE, syscall.ETIMEDOUT} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// fromItems gives the error of an item, which was found before the run, its kind.
func fromItems(items []corpus.Item, i int) error {
	err := items[i].Err
	for j, n := items[i].Base, 0; j >= 0 && n < len(items); j, n = items[j].Base, n+1 { // a cycle of bases is one of the errors
		if items[j].Err != nil && errors.Is(err, items[j].Err) {
			return as(report.BaseFailed, err)
		}
	}
	return causedBy(report.Settings, err)
}
