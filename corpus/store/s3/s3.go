// Package s3 keeps objects in a bucket of an S3-compatible service, as store.Objects.
//
// Input: a bucket and a prefix; the environment says which service it is, and who asks. Output: objects. The digest of what is written is part
// of the signed request, so a service refuses what arrives damaged, and an object that must not change is written under the condition that
// there is none (If-None-Match). Never: the package lists or creates buckets, and keeps or shows credentials.
//
// The protocol is small and described by Amazon: the REST API of S3 (PutObject, GetObject, HeadObject, DeleteObject) and Signature Version 4.
// The program does not use a library for it, because the initialisation of those that exist takes longer than everything else that happens
// when btfbatch starts.
package s3

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/btfbatch/btfbatch/corpus/store"
	"github.com/btfbatch/btfbatch/corpus/store/address"
)

// A Bucket is a prefix in a bucket.
type Bucket struct {
	at     address.Address
	client *store.Client
	base   string // URL of the bucket, with a slash at its end
	signer *signer
}

// maxObject is the size of the largest object that can be written with one request, in bytes.
const maxObject = 5 << 30

// New returns the bucket with an address. env looks up environment variables.
func New(a address.Address, client *store.Client, env func(string) (string, bool)) (*Bucket, error) {
	s, err := settingsOf(env)
	if err != nil {
		return nil, err
	}
	b := &Bucket{at: a, client: client, signer: &signer{settings: s, now: time.Now}}
	if b.base, err = s.bucketURL(a.Host); err != nil {
		return nil, err
	}
	return b, nil
}

// key returns the name of an object in the bucket.
func (b *Bucket) key(name string) string {
	if b.at.Path == "" {
		return name
	}
	return b.at.Path + "/" + name
}

// At implements store.Objects.
func (b *Bucket) At(name string) string {
	return address.Address{Scheme: address.Bucket, Host: b.at.Host, Path: b.key(name)}.String()
}

// about adds the address of an object to an error.
func (b *Bucket) about(name string, err error) error {
	if err == nil || errors.Is(err, store.ErrAbsent) || errors.Is(err, store.ErrExists) || errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("%s: %w", b.At(name), err)
}

func (b *Bucket) request(method, name string) *store.Request {
	return &store.Request{Method: method, URL: b.base + escaped(b.key(name)), Header: http.Header{}, Sign: b.signer.sign, Accept: []int{http.StatusOK}}
}

// Put implements store.Objects.
func (b *Bucket) Put(ctx context.Context, f *store.File, replace bool) error {
	if f.Size > maxObject {
		return b.about(f.Name, fmt.Errorf("it has %d bytes, and an object can have at most %d", f.Size, int64(maxObject)))
	}
	r := b.request(http.MethodPut, f.Name)
	r.Body = f
	r.Header.Set("X-Amz-Content-Sha256", f.SHA256)
	if sum, err := hex.DecodeString(f.SHA256); err == nil {
		r.Header.Set("X-Amz-Checksum-Sha256", base64.StdEncoding.EncodeToString(sum))
	}
	r.Header.Set("Content-Type", contentType(f))
	r.Accept = append(r.Accept, http.StatusPreconditionFailed, http.StatusConflict, http.StatusNotImplemented)
	if !replace {
		r.Header.Set("If-None-Match", "*")
	}
	status := 0
	r.Use = func(resp *http.Response) error {
		switch status = resp.StatusCode; status {
		case http.StatusConflict: // somebody else writes the object
			return store.Temporary(errors.New("somebody else writes the object"))
		case http.StatusPreconditionFailed:
			return store.ErrExists
		}
		return nil
	}
	err := b.client.Do(ctx, r)
	if err == nil && status == http.StatusNotImplemented {
		if replace {
			return b.about(f.Name, &store.StatusError{Code: status})
		}
		// The service knows no conditions. That there is no object was checked just before.
		return b.Put(ctx, f, true)
	}
	return b.about(f.Name, err)
}

// Read implements store.Objects.
func (b *Bucket) Read(ctx context.Context, name string, use func(io.Reader) error) error {
	r := b.request(http.MethodGet, name)
	r.Use = func(resp *http.Response) error { return use(store.Answer(resp.Body)) }
	return b.about(name, absent(b.client.Do(ctx, r)))
}

// Sum implements store.Objects. The digest that a service states is believed: some compute it when an object is written, others repeat what they
// were told then. Who writes an object therefore reads it back. If a service states none, the object is read.
func (b *Bucket) Sum(ctx context.Context, name string) (sum string, err error) {
	r := b.request(http.MethodHead, name)
	r.Header.Set("X-Amz-Checksum-Mode", "ENABLED")
	r.Use = func(resp *http.Response) error {
		if resp.Header.Get("X-Amz-Checksum-Type") == "COMPOSITE" { // of an object that was written in parts
			return nil
		}
		if data, err := base64.StdEncoding.DecodeString(resp.Header.Get("X-Amz-Checksum-Sha256")); err == nil && len(data) == 32 {
			sum = hex.EncodeToString(data)
		}
		return nil
	}
	if err := absent(b.client.Do(ctx, r)); err != nil || sum != "" {
		return sum, b.about(name, err)
	}
	return store.ReadSum(ctx, b, name)
}

// Remove implements store.Objects.
func (b *Bucket) Remove(ctx context.Context, name string) error {
	r := b.request(http.MethodDelete, name)
	r.Accept = []int{http.StatusOK, http.StatusNoContent, http.StatusNotFound}
	return b.about(name, b.client.Do(ctx, r))
}

func absent(err error) error {
	if store.Status(err) == http.StatusNotFound {
		return store.ErrAbsent
	}
	return err
}

// contentType is what browsers are told about an object.
func contentType(f *store.File) string {
	switch {
	case f.Packed != "":
		return "application/octet-stream"
	case f.Kind == "json", f.Kind == store.KindEvidence:
		return "application/json"
	case f.Kind == "c", f.Kind == "dump", f.Kind == "sums":
		return "text/plain; charset=utf-8"
	}
	return "application/octet-stream"
}

// escaped returns the name of an object as a path of a URL, as Signature Version 4 wants it.
func escaped(name string) string {
	var b strings.Builder
	for _, c := range []byte(name) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-_.~/", c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// bucketURL returns the URL of a bucket: a path below the service that was configured, or a host of Amazon.
func (s *settings) bucketURL(bucket string) (string, error) {
	if s.endpoint == "" {
		domain := "amazonaws.com"
		if strings.HasPrefix(s.region, "cn-") {
			domain += ".cn"
		}
		if strings.Contains(bucket, ".") { // the certificate does not cover such a host
			return fmt.Sprintf("https://s3.%s.%s/%s/", s.region, domain, bucket), nil
		}
		return fmt.Sprintf("https://%s.s3.%s.%s/", bucket, s.region, domain), nil
	}
	u, err := url.Parse(s.endpoint)
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		return "", errors.New("AWS_ENDPOINT_URL is not an http or https URL")
	case u.User != nil, u.RawQuery != "", u.Fragment != "":
		return "", errors.New("AWS_ENDPOINT_URL has more than a scheme, a host and a path")
	}
	return strings.TrimRight(u.String(), "/") + "/" + bucket + "/", nil
}
