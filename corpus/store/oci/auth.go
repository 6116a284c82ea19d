package oci

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/btfbatch/btfbatch/corpus/store"
)

// Registries answer the first request with 401 and a challenge, which says how to authenticate: with the user's name and password in each
// request (Basic), or with a token that a server of its own hands out for these (Bearer). Tokens are short-lived, so any request may be
// answered with another challenge.

// auth authenticates requests to one repository. It is safe for concurrent use.
type auth struct {
	client *store.Client
	host   string // the registry, with its port; no other host gets what is for it
	scope  string // what tokens are asked for
	find   func(context.Context) (login, error)

	mu     sync.Mutex
	header string // Authorization of requests; empty before the first challenge
	asked  bool   // the login was looked for
	login  login
}

// A login is a user's name and password, or a token that stands for both. It is empty if there is none.
type login struct{ user, password, token string }

// sign adds the authorization to a request.
func (a *auth) sign(r *http.Request) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.header != "" && r.URL.Host == a.host {
		r.Header.Set("Authorization", a.header)
	}
	return nil
}

// answer prepares the authorization that a registry asks for, and reports whether to send the request again.
func (a *auth) answer(ctx context.Context, err error) (again bool, _ error) {
	e, ok := errors.AsType[*store.StatusError](err)
	if !ok || e.Code != http.StatusUnauthorized || e.Host != a.host {
		return false, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.asked {
		if a.login, err = a.find(ctx); err != nil {
			return false, err
		}
		a.asked = true
	}
	for _, text := range e.Challenges {
		scheme, values := parseChallenge(text)
		switch scheme {
		case "basic":
			if a.login.user == "" {
				return false, nil
			}
			a.header = basic(a.login)
			return true, nil
		case "bearer":
			token, err := a.token(ctx, values)
			if err != nil {
				return false, err
			}
			a.header = "Bearer " + token
			return true, nil
		}
	}
	return false, nil
}

func basic(l login) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(l.user+":"+l.password))
}

// token gets a token from the server that a challenge names.
func (a *auth) token(ctx context.Context, values map[string]string) (string, error) {
	realm, err := url.Parse(values["realm"])
	if err != nil || realm.Host == "" || realm.Scheme != "https" && !isLoopback(realm.Host) {
		return "", errors.New("the registry names no server for tokens that can be used")
	}
	q := realm.Query()
	if values["service"] != "" {
		q.Set("service", values["service"])
	}
	q.Set("scope", a.scope)
	r := &store.Request{Method: http.MethodGet, Accept: []int{http.StatusOK}}
	if a.login.token != "" {
		q.Set("grant_type", "refresh_token")
		q.Set("client_id", "btfbatch")
		q.Set("refresh_token", a.login.token)
		body := store.Bytes("login", "", []byte(q.Encode()))
		r.Method, r.Body, r.Header = http.MethodPost, &body, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	} else {
		realm.RawQuery = q.Encode()
	}
	if a.login.user != "" && a.login.token == "" {
		r.Header = http.Header{"Authorization": {basic(a.login)}}
	}
	r.URL = realm.String()
	var answer struct {
		Token       string `json:"token"`
		AccessToken string `json:"access_token"`
	}
	r.Use = func(resp *http.Response) error {
		err := json.NewDecoder(http.MaxBytesReader(nil, resp.Body, 1<<20)).Decode(&answer)
		if _, ok := errors.AsType[*json.SyntaxError](err); ok {
			return errors.New("the answer is not JSON")
		}
		if err != nil {
			return store.Temporary(err)
		}
		return nil
	}
	if err := a.client.Do(ctx, r); err != nil {
		return "", fmt.Errorf("a token from %s: %w", realm.Host, err)
	}
	if answer.Token == "" {
		answer.Token = answer.AccessToken
	}
	if answer.Token == "" || strings.ContainsAny(answer.Token, "\r\n") {
		return "", fmt.Errorf("a token from %s: the answer has none", realm.Host)
	}
	return answer.Token, nil
}

// parseChallenge reads a challenge: a scheme, which is returned in lower case, and NAME="VALUE" with commas between them.
func parseChallenge(text string) (scheme string, values map[string]string) {
	scheme, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
	values = map[string]string{}
	for rest != "" {
		name, after, ok := strings.Cut(rest, "=")
		if !ok {
			break
		}
		value := ""
		if quoted, is := strings.CutPrefix(after, `"`); is {
			value, after, _ = strings.Cut(quoted, `"`)
			_, rest, _ = strings.Cut(after, ",")
		} else {
			value, rest, _ = strings.Cut(after, ",")
		}
		values[strings.ToLower(strings.TrimSpace(name))] = strings.TrimSpace(value)
	}
	return strings.ToLower(scheme), values
}
