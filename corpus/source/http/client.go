// Package http fetches files from web servers.
//
// Input: a URL, perhaps with the SHA-256 of the file. Output: the open file. Of a file without a digest only the parts that are read are
// fetched, where the server can send parts. What was fetched is kept in a download folder, so that several readers, also in several
// processes, fetch it once, and an interrupted download resumes. Never: the package knows nothing about what is in a file, follows no
// redirect that leaves http and https or goes from https to http, and returns no file whose digest is not the wanted one.
//
// No other package that reads images uses the network.
package http

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	nethttp "net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/btfbatch/btfbatch/corpus/cache"
	"github.com/btfbatch/btfbatch/corpus/retry"
)

// A Client fetches files. Its fields must not change once it is in use; zero values stand for the defaults. It is safe for concurrent use.
type Client struct {
	Dir   string // the download folder; empty: that of Folder
	Agent string // the User-Agent of requests

	Stall   time.Duration // a server that sends nothing for that long has stalled; default: 60 s
	Policy  retry.Policy  // attempts are counted in a row without any progress; default: retry.Default
	MaxSize int64         // the largest file to fetch, in bytes; default: 32 GiB
	Whole   bool          // files without a digest are fetched as a whole too, so that Open knows their digests

	// Remember says that a server is not asked again for cache.AbsentFor for a file that it did not have, if the manifest or a lock has the digest of the
	// file: Request.Lasting. With Again it is asked, and what it says is remembered.
	Remember, Again bool

	// Progress is called as bytes arrive, Notice before a pause, with a sentence about the reason. Calls may be concurrent.
	Progress func(Progress)
	Notice   func(url, text string)

	// Transport sends the requests. Default: a transport that uses the proxy of the environment.
	Transport nethttp.RoundTripper

	once  sync.Once
	http  *nethttp.Client
	write func(f *os.File, b []byte, off int64) (int, error) // (*os.File).WriteAt

	mu        sync.Mutex
	downloads map[string]*download
}

// A Progress says how much of a file was fetched.
type Progress struct {
	URL     string
	Fetched int64 // bytes that were received in this process
	Have    int64 // bytes of the file that are in the download folder
	Size    int64 // of the file; 0 if unknown
}

// A Request names a file.
type Request struct {
	URL    string
	SHA256 string // lower-case hex; empty: any contents are accepted
	Size   int64  // the expected size, in bytes; 0: unknown
	// Address is what SHA256 was given for; empty: the URL. A file with that digest from another address counts only if it is Trusted, so that a digest
	// that was not updated together with its URL is noticed whatever is in the download folder.
	Address string
	// Trusted means that a lock or a signed index has the digest: the file was compared before, and the same bytes from elsewhere will do.
	Trusted bool
	// Lasting means that people chose the URL and the digest, so that the server is not about to get the file.
	Lasting bool
}

// Folder returns the default download folder: the folder downloads in that of the cache.
func Folder() (string, error) {
	dir, err := cache.Folder()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "downloads"), nil
}

// CheckURL returns an error for a URL that cannot be fetched.
func CheckURL(text string) error {
	u, err := url.Parse(text)
	if e, ok := errors.AsType[*url.Error](err); ok {
		return fmt.Errorf("%s is not a URL: %w", text, e.Err)
	}
	switch {
	case err != nil:
		return err
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("%s: the scheme %q is not supported: give a URL with http or https, or the path of a file", u.Redacted(), u.Scheme)
	case u.Hostname() == "":
		return fmt.Errorf("%s: the URL names no host", u.Redacted())
	}
	return nil
}

// Open opens a file. If r has a digest, the whole file is fetched and checked before Open returns. Otherwise, parts of it are fetched when
// they are read, or, from a server that sends no parts, everything up to the end of what is read.
//
// The context is also that of reading from the file.
func (c *Client) Open(ctx context.Context, r Request) (*File, error) {
	return c.open(ctx, r, r.SHA256 != "" || c.Whole)
}

// Fetch opens a file that is fetched as a whole, with or without a digest.
func (c *Client) Fetch(ctx context.Context, r Request) (*File, error) { return c.open(ctx, r, true) }

func (c *Client) open(ctx context.Context, r Request, whole bool) (*File, error) {
	if err := CheckURL(r.URL); err != nil {
		return nil, err
	}
	if err := c.start(); err != nil {
		return nil, err
	}
	d := c.share(r)
	if err := d.open(ctx, whole); err != nil {
		c.release(d)
		return nil, about(r.URL, err)
	}
	return &File{ctx: ctx, d: d, size: d.handOut()}, nil
}

// start sets the defaults, and sweeps the download folder.
func (c *Client) start() (err error) {
	c.once.Do(func() {
		setDefault(&c.Stall, time.Minute)
		c.Policy = c.Policy.Or(retry.Default)
		setDefault(&c.MaxSize, 32<<30)
		setDefault(&c.Agent, "btfbatch")
		if c.write == nil {
			c.write = (*os.File).WriteAt
		}
		c.downloads = map[string]*download{}
		if c.Transport == nil {
			t := nethttp.DefaultTransport.(*nethttp.Transport).Clone() // as documented
			t.ResponseHeaderTimeout = 0                                // see transfer.watch
			t.DisableCompression = true
			c.Transport = t
		}
		c.http = &nethttp.Client{Transport: c.Transport, CheckRedirect: checkRedirect}
		if c.Dir != "" {
			sweep(c.Dir)
		} else if dir, err := Folder(); err == nil {
			c.Dir = dir
			sweep(dir)
		}
	})
	if c.Dir == "" {
		_, err = Folder()
	}
	return err
}

func setDefault[T comparable](v *T, value T) {
	var zero T
	if *v == zero {
		*v = value
	}
}

// share returns the download of a request, which it shares with other readers of the file.
func (c *Client) share(r Request) *download {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := keyOf(r)
	name := key + " " + r.URL // a download that fails is not that of another URL
	d := c.downloads[name]
	if d == nil {
		d = &download{c: c, req: r, name: name, store: store{dir: c.Dir, key: key}}
		c.downloads[name] = d
	}
	d.readers++
	return d
}

// release gives up a share. The last reader closes the file.
func (c *Client) release(d *download) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d.readers--; d.readers == 0 {
		d.close()
		delete(c.downloads, d.name)
	}
}

// Kept reports whether a file with a digest is in the download folder, and where it was fetched from.
func (c *Client) Kept(sha256 string) (url string, ok bool) {
	if sha256 == "" || c.start() != nil {
		return "", false
	}
	s := store{c.Dir, keyOf(Request{SHA256: sha256, Trusted: true})}
	m, ok := s.load()
	if !ok {
		return "", false
	}
	st, err := os.Stat(s.path(""))
	return m.URL, err == nil && st.Size() == m.Size
}

// keyOf returns the name of a file in the download folder. It is the digest where that can be trusted: then it does not matter which server the file
// comes from. Otherwise the address is a part of the name: the file is there if it was fetched from that address and had that digest.
func keyOf(r Request) string {
	address := sha256.Sum256([]byte(cmp.Or(r.Address, r.URL)))
	switch {
	case r.SHA256 == "":
		return "url-" + hex.EncodeToString(address[:20])
	case r.Trusted:
		return "sha256-" + strings.ToLower(r.SHA256)
	}
	return "sha256-" + strings.ToLower(r.SHA256) + "-" + hex.EncodeToString(address[:10])
}

// A File is an open file. Several goroutines may read it concurrently.
type File struct {
	ctx  context.Context //nolint:containedctx // io.ReaderAt has no context
	d    *download
	size int64
	once sync.Once
}

// ReadAt implements io.ReaderAt. It fetches what has not been fetched.
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	n, err := f.d.readAt(f.ctx, p, off)
	return n, about(f.d.req.URL, err)
}

// Size is the size of the file in bytes.
func (f *File) Size() int64 { return f.size }

// A State says what is known about a file, and how much of it was fetched.
type State struct {
	Whole   bool   // all of the file has been fetched
	Ranges  bool   // the server sends parts; if not, reading the end of the file fetches everything in front of it
	SHA256  string // of a whole file, in lower-case hex
	Fetched int64  // bytes that were received for the file in this process
}

// State returns the present state.
func (f *File) State() State {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	return State{f.d.whole, f.d.ranges, f.d.meta.SHA256, f.d.fetched}
}

// Local opens the file in the download folder. All of it must have been fetched.
func (f *File) Local() (*os.File, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if !f.d.whole {
		return nil, about(f.d.req.URL, errors.New("parts of the file have not been fetched"))
	}
	local, err := f.d.store.open()
	if err != nil {
		return nil, err
	}
	a, err1 := local.Stat()
	b, err2 := f.d.file.Stat()
	if err := errors.Join(err1, err2); err != nil || !os.SameFile(a, b) {
		local.Close()
		return nil, errors.Join(err, about(f.d.req.URL, errors.New("another process fetched another version of the file: run again")))
	}
	return local, nil
}

// Close closes the file. What was fetched stays in the download folder.
func (f *File) Close() error {
	f.once.Do(func() { f.d.c.release(f.d) })
	return nil
}
