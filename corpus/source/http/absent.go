package http

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/btfbatch/btfbatch/corpus/cache"
)

// An absence is what is remembered of a file that a server did not have, as it is stored in KEY.missing.
type absence struct {
	URL    string    `json:"url"`
	Status int       `json:"status"`
	Since  time.Time `json:"since"` // of the first answer
	Asked  time.Time `json:"asked"` // of the last answer
}

// A KnownError says that a server did not have a file when it was asked for it, and that it was not asked again. It wraps the answer of the server.
type KnownError struct {
	Since time.Time
	Err   *StatusError
}

func (e *KnownError) Error() string {
	return fmt.Sprintf("known since %s: %v; --retry-missing asks again", e.Since.UTC().Format(time.DateOnly), e.Err)
}

func (e *KnownError) Unwrap() error { return e.Err }

// known returns what is remembered of this URL; the zero value if there is nothing.
func (d *download) known() absence {
	a, ok := d.absence()
	if !ok || a.URL != Redacted(d.req.URL) || !(&StatusError{Code: a.Status}).Missing() {
		return absence{}
	}
	return a
}

// remembers reports whether absences count for this file.
func (d *download) remembers() bool { return d.c.Remember && d.req.Lasting && d.req.SHA256 != "" }

// absent returns an error if the server did not have the file a short time ago, and the file did not come from elsewhere.
func (d *download) absent() error {
	if !d.remembers() || d.c.Again {
		return nil
	}
	a := d.earlier
	if a.URL == "" || !cache.StillAbsent(a.Asked) {
		return nil
	}
	if _, err := os.Stat(d.path("")); err == nil {
		return nil
	}
	return &KnownError{a.Since, &StatusError{Code: a.Status}}
}

// noteAbsent remembers that the server does not have the file, if that is what the error says. A note that cannot be written only means that the
// server is asked again.
func (d *download) noteAbsent(err error) {
	status, ok := errors.AsType[*StatusError](err)
	if !ok || !status.Missing() || !d.remembers() {
		return
	}
	now := time.Now().UTC().Truncate(time.Second)
	a := absence{URL: Redacted(d.req.URL), Status: status.Code, Since: now, Asked: now}
	if d.earlier.URL != "" {
		a.Since = d.earlier.Since
	}
	_ = d.saveAs(".missing", a)
}
