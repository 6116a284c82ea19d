package http

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	nethttp "net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/btfbatch/btfbatch/corpus/retry"
	"github.com/btfbatch/btfbatch/corpus/source"
)

// An Error says why a file could not be fetched.
type Error struct {
	URL string // without a password
	Err error
}

func (e *Error) Error() string { return e.URL + ": " + e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is source.ErrFetch. A file that was fetched and has another digest is not such an error.
func (e *Error) Is(target error) bool {
	return target == source.ErrFetch && !errors.Is(e.Err, source.ErrDigest)
}

// about adds the URL to an error.
func about(text string, err error) error {
	if _, ok := errors.AsType[*Error](err); ok || err == nil || errors.Is(err, io.EOF) || errors.Is(err, context.Canceled) {
		return err
	}
	return &Error{Redacted(text), err}
}

// Redacted returns a URL without its password.
func Redacted(text string) string {
	if u, err := url.Parse(text); err == nil {
		return u.Redacted()
	}
	return text
}

// A StatusError is an answer that is not the file.
type StatusError struct {
	Code int
	Wait time.Duration // what the server asks to wait; 0: it does not say
}

func (e *StatusError) Error() string {
	text := strings.TrimSpace(fmt.Sprintf("%d %s", e.Code, nethttp.StatusText(e.Code)))
	switch e.Code {
	case nethttp.StatusNotFound, nethttp.StatusGone:
		return text + ": the server does not have the file"
	case nethttp.StatusUnauthorized, nethttp.StatusForbidden:
		return text + ": the server refuses to send the file"
	case nethttp.StatusProxyAuthRequired:
		return text + ": put the name and the password into the URL of the proxy"
	}
	return text
}

// Missing reports whether the server does not have the file.
func (e *StatusError) Missing() bool {
	return e.Code == nethttp.StatusNotFound || e.Code == nethttp.StatusGone
}

// Transient reports whether another attempt can succeed.
func (e *StatusError) Transient() bool { return retry.Passes(e.Code) }

// A DigestError says that a file does not have the wanted SHA-256.
type DigestError struct{ Found, Wanted string }

// Is reports whether target is source.ErrDigest.
func (e *DigestError) Is(target error) bool { return target == source.ErrDigest }

func (e *DigestError) Error() string {
	return fmt.Sprintf("sha256: the file has %s, but %s is expected", e.Found, e.Wanted)
}

// A hintError says what to do about an error.
type hintError struct {
	err  error
	hint string
}

func (e *hintError) Error() string { return e.err.Error() + ": " + e.hint }

func (e *hintError) Unwrap() error { return e.err }

// A networkError is a failure of the connection, after which another attempt can succeed.
type networkError struct{ err error }

func (e *networkError) Error() string { return e.err.Error() }

func (e *networkError) Unwrap() error { return e.err }

// Transient returns true.
func (e *networkError) Transient() bool { return true }

// errRefetch says that the file on the server is no longer the one of which parts were fetched. Nobody has read these parts.
var errRefetch = errors.New("the file changes on the server while it is fetched")

// errNoVersion says that the rest of a file cannot be fetched after a lost connection: it may be the rest of another one.
var errNoVersion = errors.New("the connection was lost, and the server does not say whether the file is still the same (ETag or Last-Modified): run again")

// changedError says that a file was replaced while somebody reads it, or that it may have been.
func changedError(old, now *meta) error {
	var what string
	switch {
	case old.ETag == now.ETag && old.Modified == now.Modified && (old.Size == now.Size || old.Size == 0 || now.Size == 0):
		return errNoVersion
	case old.ETag != now.ETag:
		what = fmt.Sprintf("ETag %s, then %s", orNone(old.ETag), orNone(now.ETag))
	case old.Modified != now.Modified:
		what = fmt.Sprintf("modified %s, then %s", orNone(old.Modified), orNone(now.Modified))
	default:
		what = fmt.Sprintf("%d bytes, then %d", old.Size, now.Size)
	}
	return fmt.Errorf("the file changed on the server while it was read (%s): run again", what)
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return strconv.Quote(strings.Trim(text, `"`))
}

// A redirectError is a redirect that is not followed.
type redirectError struct{ problem string }

func (e *redirectError) Error() string { return e.problem }

const maxRedirects = 10

// checkRedirect limits the redirects that are followed.
func checkRedirect(next *nethttp.Request, via []*nethttp.Request) error {
	last := via[len(via)-1].URL
	switch {
	case next.URL.Scheme != "http" && next.URL.Scheme != "https":
		return &redirectError{fmt.Sprintf("the server redirects to %s, but only http and https are followed", next.URL.Redacted())}
	case last.Scheme == "https" && next.URL.Scheme == "http":
		return &redirectError{fmt.Sprintf("the server redirects from https to %s, which is not protected", next.URL.Redacted())}
	}
	for _, earlier := range via {
		if earlier.URL.String() == next.URL.String() {
			return &redirectError{fmt.Sprintf("the server redirects in a circle, from %s back to %s", last.Redacted(), next.URL.Redacted())}
		}
	}
	if len(via) > maxRedirects {
		return &redirectError{fmt.Sprintf("more than %d redirects, the last one to %s", maxRedirects, next.URL.Redacted())}
	}
	return nil
}

// requestError turns the error of a request into one that says what is wrong, and whether another attempt can succeed.
func requestError(err error) error {
	if e, ok := errors.AsType[*redirectError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return &hintError{fmt.Errorf("the certificate of the server is not valid: %w", e.Err), "SSL_CERT_FILE names a file with certificates to trust"}
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok || strings.Contains(err.Error(), "server gave HTTP response to HTTPS client") {
		return errors.New("the server does not use TLS: check the port and the scheme of the URL")
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok && e.IsNotFound {
		return fmt.Errorf("the host %s is unknown", e.Name)
	}
	return &networkError{err}
}

// retry calls do until it succeeds, or fails in a way that another attempt cannot help. Only failures without progress in between are counted.
func (d *download) retry(ctx context.Context, do func() error) error {
	failures, best := 0, d.meta.Blocks.count()
	for {
		err := do()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if have := d.meta.Blocks.count(); have > best {
			failures, best = 0, have
		}
		status, isStatus := errors.AsType[*StatusError](err)
		_, isNetwork := errors.AsType[*networkError](err)
		again := isNetwork || errors.Is(err, errRefetch) || isStatus && status.Transient()
		if failures++; !again {
			return err
		}
		var asked time.Duration
		if isStatus {
			asked = status.Wait
		}
		pause, long := d.c.Policy.Pause(failures, asked)
		if long != nil {
			return fmt.Errorf("%w: %w", err, long)
		}
		if failures >= d.c.Policy.Attempts {
			return fmt.Errorf("%w (%d attempts)", err, failures)
		}
		d.notice(fmt.Sprintf("%v; trying again in %v", err, pause.Round(time.Millisecond)))
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

func sleep(ctx context.Context, pause time.Duration) error {
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
