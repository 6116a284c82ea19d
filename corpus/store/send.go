package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/btfbatch/btfbatch/corpus/retry"
)

// A Client sends requests to a store. A request that fails for a reason that may pass is repeated, with growing pauses: the server is
// overloaded or broken (5xx, 429), or the connection is lost or stalls. Its fields must not change once it is in use; zero values stand for
// the defaults. It is safe for concurrent use.
type Client struct {
	Agent  string            // the User-Agent of requests
	Policy retry.Policy      // default: retry.Default
	Stall  time.Duration     // a connection on which nothing moves for that long has stalled; default: 1 min
	Notice func(text string) // called before a pause, perhaps concurrently; may be nil
	// Transport sends the requests. Default: the one of net/http, which uses the proxy of the environment.
	Transport http.RoundTripper
}

// A StatusError is an answer that is not what a request was for.
type StatusError struct {
	Code       int
	Message    string   // of the server; may be empty
	Host       string   // that answered
	Challenges []string // WWW-Authenticate: how requests are to be authenticated
	wait       time.Duration
}

func (e *StatusError) Error() string {
	text := strings.TrimSpace(fmt.Sprintf("%d %s", e.Code, http.StatusText(e.Code)))
	if e.Message != "" {
		text += ": " + e.Message
	}
	switch e.Code {
	case http.StatusUnauthorized:
		text += ": the store wants credentials, or other ones"
	case http.StatusForbidden:
		text += ": the credentials do not allow it"
	}
	return text
}

// Transient reports whether another run can succeed where this one failed: the server is overloaded or broken, or it is full.
func (e *StatusError) Transient() bool {
	return e.temporary() || e.Code == http.StatusInsufficientStorage
}

// temporary reports whether another attempt can succeed.
func (e *StatusError) temporary() bool { return retry.Passes(e.Code) }

// Status returns the status of an answer that an error is about, or 0.
func Status(err error) int {
	if e, ok := errors.AsType[*StatusError](err); ok {
		return e.Code
	}
	return 0
}

// A temporaryError is one after which another attempt may succeed.
type temporaryError struct{ error }

func (e temporaryError) Unwrap() error { return e.error }

// Transient reports that another run can succeed where this one failed.
func (temporaryError) Transient() bool { return true }

// Temporary marks an error as one after which another attempt may succeed.
func Temporary(err error) error { return temporaryError{err} }

// IsTemporary reports whether another attempt may succeed.
func IsTemporary(err error) bool {
	if _, ok := errors.AsType[temporaryError](err); ok {
		return true
	}
	e, ok := errors.AsType[*StatusError](err)
	return ok && e.temporary()
}

// Answer returns a reader of the body of an answer. An error of reading it is temporary: the connection was lost.
func Answer(body io.Reader) io.Reader { return answer{body} }

type answer struct{ io.Reader }

func (a answer) Read(p []byte) (int, error) {
	n, err := a.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = Temporary(err)
	}
	return n, err
}

// A Request is one request to a store.
type Request struct {
	Method string
	URL    string
	Header http.Header
	Body   *File // nil: none
	// Sign adds what the server wants to know about who sends the request, to every attempt. It may be nil.
	Sign func(*http.Request) error
	// Once is set if the request is not to be repeated.
	Once bool
	// Accept lists the codes of answers that Use gets; others are a *StatusError.
	Accept []int
	// Use reads the answer. It may be called again after an error that is temporary. It may be nil.
	Use func(*http.Response) error
}

// Do sends a request until it succeeds, fails for good, or was sent often enough.
func (c *Client) Do(ctx context.Context, r *Request) error {
	if r.Once {
		return c.once(ctx, r)
	}
	return c.Repeat(ctx, r.URL, func() error { return c.once(ctx, r) })
}

// Repeat calls attempt until it succeeds, fails for a reason that does not pass, or was called often enough. The URL is for messages.
func (c *Client) Repeat(ctx context.Context, url string, attempt func() error) error {
	policy := c.Policy.Or(retry.Default)
	for n := 1; ; n++ {
		err := attempt()
		if err == nil || ctx.Err() != nil || !IsTemporary(err) {
			return errors.Join(ctx.Err(), err)
		}
		var asked time.Duration
		if e, ok := errors.AsType[*StatusError](err); ok {
			asked = e.wait
		}
		wait, long := policy.Pause(n, asked)
		switch {
		case long != nil:
			return fmt.Errorf("%w: %w", err, long)
		case n >= policy.Attempts && n > 1:
			return fmt.Errorf("%w, in %d attempts", err, n)
		case n >= policy.Attempts:
			return err
		}
		if c.Notice != nil {
			c.Notice(fmt.Sprintf("%s: %v; the next attempt is in %s", hostOf(url), err, wait.Round(100*time.Millisecond)))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

func hostOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "the store"
	}
	return u.Host
}

var errStalled = errors.New("the connection stalled")

// once sends a request once.
func (c *Client) once(ctx context.Context, r *Request) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stall := cmp.Or(c.Stall, time.Minute)
	watch := &watch{timer: time.AfterFunc(stall, func() { cancel(errStalled) }), stall: stall}
	defer watch.timer.Stop()
	req, err := c.build(ctx, r, watch)
	if err != nil {
		return err
	}
	client := http.Client{Transport: c.Transport, CheckRedirect: checkRedirect}
	resp, err := client.Do(req)
	if err != nil {
		if stalled := context.Cause(ctx); errors.Is(stalled, errStalled) {
			err = stalled
		}
		if errors.Is(err, errRedirect) {
			return plain(err)
		}
		return Temporary(plain(err))
	}
	defer resp.Body.Close()
	watch.moved()
	resp.Body = watched{resp.Body, watch}
	for _, code := range r.Accept {
		if resp.StatusCode != code {
			continue
		}
		if r.Use == nil {
			return nil
		}
		err := r.Use(resp)
		if errors.Is(context.Cause(ctx), errStalled) {
			return Temporary(errStalled)
		}
		return err
	}
	return statusError(resp)
}

// build makes the request of one attempt.
func (c *Client) build(ctx context.Context, r *Request, w *watch) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, r.Method, r.URL, http.NoBody)
	if err != nil {
		return nil, plain(err)
	}
	maps.Copy(req.Header, r.Header)
	req.Header.Set("User-Agent", c.Agent)
	if r.Body != nil {
		open := func() (io.ReadCloser, error) {
			body, err := r.Body.Open()
			if err != nil {
				return nil, err
			}
			return watched{body, w}, nil
		}
		if req.Body, err = open(); err != nil {
			return nil, err
		}
		req.GetBody, req.ContentLength = open, r.Body.Size
	}
	if r.Sign != nil {
		err = r.Sign(req)
	}
	if err != nil {
		req.Body.Close()
	}
	return req, err
}

var errRedirect = errors.New("the store redirects")

// checkRedirect allows a few redirects, and none from https to http. The standard library sends credentials only to the first host.
func checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) >= 5 {
		return fmt.Errorf("%w again and again", errRedirect)
	}
	if via[0].URL.Scheme == "https" && req.URL.Scheme != "https" {
		return fmt.Errorf("%w from https to http", errRedirect)
	}
	return nil
}

// plain returns an error of net/http without its URL, whose query may contain a signature.
func plain(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// A watch ends a request on whose connection nothing moves.
type watch struct {
	timer *time.Timer
	stall time.Duration
}

func (w *watch) moved() { w.timer.Reset(w.stall) }

type watched struct {
	io.ReadCloser
	w *watch
}

func (r watched) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if n > 0 {
		r.w.moved()
	}
	return n, err
}

// maxMessage is how much of the body of an error is read, in bytes.
const maxMessage = 4 << 10

// statusError returns the error of an answer.
func statusError(resp *http.Response) error {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxMessage))
	e := &StatusError{Code: resp.StatusCode, Message: message(body), Host: resp.Request.URL.Host, Challenges: resp.Header.Values("Www-Authenticate"),
		wait: retry.Asked(resp.Header, time.Now())}
	return e
}

// message returns what an error in JSON or XML says, in one line: the code and the text of the first one.
func message(body []byte) string {
	text := string(body)
	code, what := between(text, "<Code>", "</Code>"), between(text, "<Message>", "</Message>")
	if code == "" {
		code, what = between(text, `"code":"`, `"`), between(text, `"message":"`, `"`)
	}
	text = strings.TrimSuffix(code+": "+what, ": ")
	clean := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0xfffd {
			return ' '
		}
		return r
	}, text)
	clean = strings.Join(strings.Fields(clean), " ")
	if len(clean) > 200 {
		clean = strings.ToValidUTF8(clean[:200], "") + "…"
	}
	return clean
}

func between(text, before, after string) string {
	_, rest, _ := strings.Cut(text, before)
	found, _, ok := strings.Cut(rest, after)
	if !ok {
		return ""
	}
	return found
}
