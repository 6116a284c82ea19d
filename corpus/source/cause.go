package source

import "errors"

// Causes of errors, for callers that decide by them. The texts of the errors do not depend on the causes.
var (
	// ErrFetch is the cause of every error that says that bytes did not come from a network.
	ErrFetch = errors.New("it was not fetched")
	// ErrDigest is the cause of every error that says that bytes have another SHA-256 than they must have.
	ErrDigest = errors.New("it has another digest")
	// ErrNoMember is the cause of every error that says that a package has no file of the wanted name.
	ErrNoMember = errors.New("the package does not have it")
)

// A caused is an error with one of these causes.
type caused struct {
	error
	cause error
}

func (c caused) Unwrap() error { return c.error }

func (c caused) Is(target error) bool { return target == c.cause }

// NotFetched gives an error the cause ErrFetch.
func NotFetched(err error) error { return withCause(err, ErrFetch) }

// WrongDigest gives an error the cause ErrDigest.
func WrongDigest(err error) error { return withCause(err, ErrDigest) }

// Lacks gives an error the cause ErrNoMember.
func Lacks(err error) error { return withCause(err, ErrNoMember) }

func withCause(err, cause error) error {
	if err == nil {
		return nil
	}
	return caused{err, cause}
}
