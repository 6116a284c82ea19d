// Package oci publishes artifacts in OCI registries.
//
// Input: an artifact, and a repository with a tag. Output: blobs, a manifest that names them, and the tag, which is written last. Blobs that
// the repository has are not sent again. The same artifact gives the same manifest, and so the same digest. Never: the package deletes
// anything, and keeps or shows credentials.
//
// The protocol is the OCI distribution specification 1.1, the manifest that of the OCI image specification 1.1, for artifacts. The program does
// not use a library for it, because the initialisation of those that exist takes as long as half of everything else that happens when btfbatch
// starts.
package oci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/btfbatch/btfbatch/corpus/store"
	"github.com/btfbatch/btfbatch/corpus/store/address"
)

// A Repository is a repository of a registry.
type Repository struct {
	at     address.Address
	client *store.Client
	auth   *auth
	base   string // URL of the API for the repository, with a slash at its end
}

// New returns the repository with an address. env looks up environment variables, which say where credentials are.
func New(a address.Address, client *store.Client, env func(string) (string, bool)) *Repository {
	scheme := "https"
	if isLoopback(a.Host) {
		scheme = "http"
	}
	host := a.Host
	if host == "docker.io" {
		host = "registry-1.docker.io"
	}
	return &Repository{
		at: a, client: client, base: fmt.Sprintf("%s://%s/v2/%s/", scheme, host, a.Path),
		auth: &auth{client: client, host: host, scope: "repository:" + a.Path + ":pull,push",
			find: credentials{host: a.Host, repository: a.Path, env: env}.find},
	}
}

// Tagged returns the repository with another tag.
func (r *Repository) Tagged(tag string) *Repository {
	again := *r
	again.at.Tag = tag
	return &again
}

// Read calls use with the contents of a blob. The error is store.ErrAbsent if the repository does not have it.
func (r *Repository) Read(ctx context.Context, sha256 string, use func(io.Reader) error) error {
	return r.about(r.readBlob(ctx, "sha256:"+sha256, use))
}

// isLoopback reports whether a registry runs on this machine. Such a one is used without TLS, as by other tools.
func isLoopback(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	ip := net.ParseIP(name)
	return name == "localhost" || ip != nil && ip.IsLoopback()
}

// about adds the address of the repository to an error.
func (r *Repository) about(err error) error {
	if err == nil || errors.Is(err, store.ErrAbsent) || errors.Is(err, context.Canceled) {
		return err
	}
	if _, ok := errors.AsType[*store.ChangedError](err); ok {
		return err
	}
	return fmt.Errorf("%s: %w", r.at, err)
}

// do sends a request, and once more with a token if the registry asks for one.
func (r *Repository) do(ctx context.Context, q *store.Request) error {
	q.Sign = r.auth.sign
	err := r.client.Do(ctx, q)
	again, authErr := r.auth.answer(ctx, err)
	if authErr != nil {
		return authErr
	}
	if again {
		err = r.client.Do(ctx, q)
	}
	if store.Status(err) == http.StatusNotFound && q.Method != http.MethodPost && q.Method != http.MethodPut {
		return store.ErrAbsent
	}
	return err
}

// hasBlob reports whether the repository has a blob.
func (r *Repository) hasBlob(ctx context.Context, digest string) (bool, error) {
	err := r.do(ctx, &store.Request{Method: http.MethodHead, URL: r.base + "blobs/" + digest, Accept: []int{http.StatusOK}})
	if errors.Is(err, store.ErrAbsent) {
		return false, nil
	}
	return err == nil, err
}

// readBlob calls use with a blob.
func (r *Repository) readBlob(ctx context.Context, digest string, use func(io.Reader) error) error {
	return r.do(ctx, &store.Request{Method: http.MethodGet, URL: r.base + "blobs/" + digest, Accept: []int{http.StatusOK},
		Use: func(resp *http.Response) error { return use(store.Answer(resp.Body)) }})
}

// push sends a blob unless the repository has it, and reads back what it sent.
func (r *Repository) push(ctx context.Context, f *store.File) error {
	digest := "sha256:" + f.SHA256
	if has, err := r.hasBlob(ctx, digest); has || err != nil {
		return err
	}
	// A session that failed cannot be continued: each attempt is a new one.
	if err := r.client.Repeat(ctx, r.base, func() error { return r.upload(ctx, f, digest) }); err != nil {
		return fmt.Errorf("%s: %w", f.Name, err)
	}
	return r.readBlob(ctx, digest, func(body io.Reader) error {
		sum, _, err := store.SumOf(body)
		if err == nil && sum != f.SHA256 {
			err = &store.DigestError{At: f.Name, Found: sum, Wanted: f.SHA256}
		}
		return err
	})
}

// upload sends a blob in one session: a request that begins it, and one that has all of the bytes and their digest.
func (r *Repository) upload(ctx context.Context, f *store.File, digest string) error {
	place := ""
	err := r.do(ctx, &store.Request{Method: http.MethodPost, Once: true, URL: r.base + "blobs/uploads/", Accept: []int{http.StatusAccepted},
		Use: func(resp *http.Response) error {
			at, err := resp.Request.URL.Parse(resp.Header.Get("Location"))
			if err != nil || resp.Header.Get("Location") == "" {
				return errors.New("the registry does not say where to upload")
			}
			place, err = withDigest(at, digest)
			return err
		}})
	if err != nil {
		return err
	}
	err = r.do(ctx, &store.Request{Method: http.MethodPut, URL: place, Body: f, Once: true, Header: http.Header{"Content-Type": {"application/octet-stream"}},
		Accept: []int{http.StatusCreated, http.StatusNoContent, http.StatusAccepted}})
	if e, ok := errors.AsType[*store.StatusError](err); ok {
		switch {
		case e.Code == http.StatusBadRequest && strings.Contains(e.Message, "DIGEST_INVALID"), // it arrived damaged
			e.Code == http.StatusNotFound, e.Code == http.StatusRequestedRangeNotSatisfiable: // the session ended with an earlier attempt
			if has, _ := r.hasBlob(ctx, digest); has {
				return nil
			}
			return store.Temporary(err)
		}
	}
	return err
}

// withDigest adds the digest to the place of an upload. A registry may send uploads to another host, but not from https to http.
func withDigest(at *url.URL, digest string) (string, error) {
	if at.Scheme != "https" && !isLoopback(at.Host) {
		return "", errors.New("the registry wants an upload without TLS")
	}
	q := at.Query()
	q.Set("digest", digest)
	at.RawQuery = q.Encode()
	return at.String(), nil
}
