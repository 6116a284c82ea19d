package apt

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/btfbatch/btfbatch/corpus/source"
	"github.com/btfbatch/btfbatch/corpus/source/http"
)

// A locked is the origin of the package that a lock has for a reference. If the package is in the download folder, neither the index nor the archive
// is needed. Otherwise, the archive is asked for this version.
type locked struct {
	f   *Finder
	ref source.Ref

	mu    sync.Mutex
	found source.Origin // nil until the package is opened
}

// Facts implements source.Origin.
func (l *locked) Facts() source.Facts {
	if o := l.origin(); o != nil {
		return o.Facts()
	}
	name, version, _ := strings.Cut(l.ref.Exact, "=")
	return source.Facts{Package: name, Version: version, SHA256: l.ref.SHA256, Network: true}
}

func (l *locked) origin() source.Origin {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.found
}

// String is the URL of the package, or its name until it is opened.
func (l *locked) String() string {
	if o := l.origin(); o != nil {
		return o.String()
	}
	return l.ref.String()
}

// Open implements source.Origin.
func (l *locked) Open(ctx context.Context) (*source.Blob, error) {
	o := l.origin()
	if o == nil {
		var err error
		if o, err = l.find(ctx); err != nil {
			return nil, err
		}
		l.mu.Lock()
		l.found = o
		l.mu.Unlock()
	}
	return o.Open(ctx)
}

func (l *locked) find(ctx context.Context) (source.Origin, error) {
	name, version, _ := strings.Cut(l.ref.Exact, "=")
	if url, ok := l.f.Client.Kept(l.ref.SHA256); ok {
		return http.Origin{Client: l.f.Client, Request: http.Request{URL: url, SHA256: l.ref.SHA256, Trusted: true},
			Known: source.Facts{Package: name, Version: version}}, nil
	}
	exact := l.ref
	exact.Apt.Package = l.ref.Exact
	o, err := l.f.find(ctx, exact)
	if errors.Is(err, errNone) {
		err = source.NotFetched(fmt.Errorf("the lock has %s %s, which the archive does not have any more: name as mirror a day of snapshot.debian.org, such as "+
			"https://snapshot.debian.org/archive/debian/20260131T000000Z, which keeps old packages, and run btfbatch lock; or take what there is now with "+
			"btfbatch lock --update", name, version))
	}
	return o, err
}
