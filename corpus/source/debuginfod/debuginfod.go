// Package debuginfod fetches images by their build id from debuginfod servers.
//
// Input: a build id and the URLs of servers. Output: the origin of the file with the debug information, which package http fetches from the
// first server that has it. Never: the package looks into the file.
package debuginfod

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/btfbatch/btfbatch/corpus/source"
	"github.com/btfbatch/btfbatch/corpus/source/http"
)

// Variable is the environment variable with the URLs of servers, separated by blanks. Other programs use it in the same way.
const Variable = "DEBUGINFOD_URLS"

// A Finder finds images.
type Finder struct {
	Client  *http.Client
	Servers []string // URLs, tried in this order; nil: those of Variable
}

// CheckID returns an error for what cannot be a build id.
func CheckID(id string) error {
	if _, err := hex.DecodeString(id); err != nil || len(id) < 16 || len(id) > 128 || id != strings.ToLower(id) {
		return fmt.Errorf("%q is not a build id: give the 40 hexadecimal digits that file or readelf -n prints", id)
	}
	return nil
}

// Find implements source.Finder. It does not use the network yet.
func (f *Finder) Find(_ context.Context, ref source.Ref) (source.Origin, error) {
	if err := CheckID(ref.Where); err != nil {
		return nil, err
	}
	servers := f.Servers
	if servers == nil {
		servers = strings.Fields(os.Getenv("DEBUGINFOD_URLS"))
	}
	o := &origin{id: ref.Where}
	if url, ok := f.Client.Kept(ref.SHA256); ok && ref.Locked { // no server is needed
		servers, o.places = nil, []http.Origin{{Client: f.Client, Request: http.Request{URL: url, SHA256: ref.SHA256, Trusted: true}}}
	}
	for _, server := range servers {
		r := http.Request{URL: strings.TrimRight(server, "/") + "/buildid/" + ref.Where + "/debuginfo", SHA256: ref.SHA256, Address: ref.String(), Trusted: ref.Locked}
		if err := http.CheckURL(r.URL); err != nil {
			return nil, fmt.Errorf("%s: %w", Variable, err)
		}
		o.places = append(o.places, http.Origin{Client: f.Client, Request: r})
	}
	if len(o.places) == 0 {
		return nil, fmt.Errorf("%s: %s is not set: set it to the URLs of debuginfod servers, such as https://debuginfod.debian.net or https://debuginfod.elfutils.org",
			ref, Variable)
	}
	return o, nil
}

// An origin is the file of one build id.
type origin struct {
	id     string
	places []http.Origin

	mu    sync.Mutex
	found int // index of the place that has the file, plus 1; 0 if not known
}

// place returns the place that has the file, or the first one.
func (o *origin) place() http.Origin {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.places[max(o.found-1, 0)]
}

// Facts implements source.Origin.
func (o *origin) Facts() source.Facts {
	f := o.place().Facts()
	f.BuildID = o.id
	return f
}

// String is the URL of the file on the server that has it, as far as that is known.
func (o *origin) String() string { return o.place().String() }

// Open opens the file on the first server that has it. A server that cannot be reached is an error only if no other one has the file.
func (o *origin) Open(ctx context.Context) (*source.Blob, error) {
	o.mu.Lock()
	found := o.found
	o.mu.Unlock()
	if found > 0 {
		return o.places[found-1].Open(ctx)
	}
	var problems serverErrors
	missing := true
	for i, p := range o.places {
		b, err := p.Open(ctx)
		if err == nil {
			o.mu.Lock()
			o.found = i + 1
			o.mu.Unlock()
			return b, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		status, ok := errors.AsType[*http.StatusError](err)
		missing = missing && ok && status.Missing()
		problems = append(problems, err)
	}
	if missing {
		hosts := make([]string, len(o.places))
		for i, p := range o.places {
			hosts[i], _, _ = strings.Cut(p.String(), "/buildid/")
		}
		return nil, source.NotFetched(fmt.Errorf("no debuginfod server has the build id %s (%s)", o.id, strings.Join(hosts, ", ")))
	}
	return nil, fmt.Errorf("no debuginfod server sent the file: %w", problems)
}

// A serverErrors has the errors of all servers, each of which is a cause.
type serverErrors []error

func (e serverErrors) Error() string {
	texts := make([]string, len(e))
	for i, err := range e {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

func (e serverErrors) Unwrap() []error { return e }

// Transient reports whether another attempt can succeed at one of the servers.
func (e serverErrors) Transient() bool {
	return slices.ContainsFunc(e, func(err error) bool {
		t, ok := errors.AsType[interface {
			error
			Transient() bool
		}](err)
		return ok && t.Transient()
	})
}
