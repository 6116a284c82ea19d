package http

import (
	"context"
	"io"

	"github.com/btfbatch/btfbatch/corpus/source"
)

// Find implements source.Finder for references with a URL. It does not use the network yet.
func (c *Client) Find(_ context.Context, ref source.Ref) (source.Origin, error) {
	if err := CheckURL(ref.Where); err != nil {
		return nil, err
	}
	return Origin{c, Request{URL: ref.Where, SHA256: ref.SHA256, Trusted: ref.Locked, Lasting: ref.SHA256 != ""}, source.Facts{}}, nil
}

// An Origin is the source.Origin of a file that a Client fetches.
type Origin struct {
	Client  *Client
	Request Request
	Known   source.Facts // what is known besides the request; may be zero
}

// Facts returns what is known about the file without a request.
func (o Origin) Facts() source.Facts {
	f := o.Known
	f.URL, f.Network = Redacted(o.Request.URL), true
	if o.Request.Size > 0 {
		f.Size = o.Request.Size
	}
	if o.Request.SHA256 != "" {
		f.SHA256 = o.Request.SHA256
	}
	return f
}

// String is the URL, without a password.
func (o Origin) String() string { return Redacted(o.Request.URL) }

// Open opens the file. Its bytes can be read in any order if the server sends parts, or if the whole file had to be fetched to compare its
// digest. Otherwise they can be read in order only, which ends the transfer at the last byte that is read.
func (o Origin) Open(ctx context.Context) (*source.Blob, error) {
	f, err := o.Client.Open(ctx, o.Request)
	if err != nil {
		return nil, err
	}
	b := &source.Blob{Size: f.Size(), Release: f.Close}
	state := f.State()
	if state.Whole || state.Ranges {
		b.At, b.SHA256 = f, state.SHA256
	} else {
		b.Stream = io.NewSectionReader(f, 0, f.Size())
	}
	return b, nil
}

// Look opens the file without comparing its digest, to read a part of it. It returns nil if that is not possible: if it would take the whole
// file.
func (o Origin) Look(ctx context.Context) (*source.Blob, error) {
	f, err := o.Client.open(ctx, o.Request, false)
	if err != nil {
		return nil, err
	}
	if state := f.State(); state.Whole || state.Ranges {
		return &source.Blob{At: f, Size: f.Size(), Release: f.Close}, nil
	}
	return nil, f.Close()
}
