package stores

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/minio/minio-go/v7/pkg/signer"
)

const (
	user     = "robot"
	password = "SECRET-of-robot"
	token    = "TOKEN-of-robot"
)

var login = base64.StdEncoding.EncodeToString([]byte(user + ":" + password))

// A guard asks for authentication in front of a registry.
type guard struct {
	registry http.Handler
	bearer   bool

	mu     sync.Mutex
	issued int    // tokens
	uses   int    // of the present token
	scope  string // that was asked for
}

func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case r.URL.Path == "/token":
		_ = r.ParseForm()
		if r.Header.Get("Authorization") != "Basic "+login && r.PostForm.Get("refresh_token") != token {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		g.issued, g.uses, g.scope = g.issued+1, 0, r.FormValue("scope")
		_ = json.NewEncoder(w).Encode(map[string]string{"token": fmt.Sprint(token, g.issued)})
		return
	case g.bearer && r.Header.Get("Authorization") == fmt.Sprint("Bearer ", token, g.issued) && g.uses < 5: // tokens expire soon
		g.uses++
	case !g.bearer && r.Header.Get("Authorization") == "Basic "+login:
	default:
		challenge := `Basic realm="registry"`
		if g.bearer {
			challenge = fmt.Sprintf(`Bearer realm="http://%s/token",service="registry, of tests",scope="repository:owner/btf:pull"`, r.Host)
		}
		w.Header().Set("WWW-Authenticate", challenge)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	g.registry.ServeHTTP(w, r)
}

// Logins are found where docker, podman and oras put them.
func TestLogins(t *testing.T) {
	auths := func(key, entry string) string { return fmt.Sprintf(`{"auths":{%q:%s}}`, key, entry) }
	helper := fmt.Sprintf("#!/bin/sh\nread host\n[ \"$1\" = get ] && echo \"$host\" > \"$HOME/asked\" && echo '{\"Username\":%q,\"Secret\":%q}'\n", user, password)
	identity := strings.Replace(strings.Replace(helper, user, "<token>", 1), password, token, 1)
	none := "#!/bin/sh\necho 'credentials not found in native keychain'\nexit 1\n"
	basic := fmt.Sprintf(`{"auth":%q}`, login)
	for _, row := range []struct {
		name, file, text, helper string
		env                      string
		code                     int
		says                     string
	}{
		{"docker", "home/.docker/config.json", auths("HOST", basic), "", "", 0, ""},
		{"a URL", "home/.docker/config.json", auths("https://HOST/v2/", basic), "", "", 0, ""},
		{"DOCKER_CONFIG", "home/d/config.json", auths("HOST", basic), "", "DOCKER_CONFIG=HOME/d", 0, ""},
		{"podman", "home/run/containers/auth.json", auths("HOST/owner", basic), "", "XDG_RUNTIME_DIR=HOME/run", 0, ""},
		{"REGISTRY_AUTH_FILE", "home/x.json", auths("HOST/owner/btf", basic), "", "REGISTRY_AUTH_FILE=HOME/x.json", 0, ""},
		{"a helper for the host", "home/.docker/config.json", `{"credHelpers":{"HOST":"test"}}`, helper, "", 0, ""},
		{"a helper for all", "home/.docker/config.json", `{"credsStore":"test","auths":{"HOST":{}}}`, helper, "", 0, ""},
		{"no login", "home/.docker/config.json", auths("other", basic), "", "", 1, "401 Unauthorized"},
		{"a helper without login", "home/.docker/config.json", `{"credsStore":"test"}`, none, "", 1, "401 Unauthorized"},
		{"a helper that is missing", "home/.docker/config.json", `{"credsStore":"test"}`, "", "", 1, "docker-credential-test"},
		{"a helper with a path", "home/.docker/config.json", `{"credsStore":"../x"}`, "", "", 1, "with a path"},
		{"the wrong password", "home/.docker/config.json", auths("HOST", `{"username":"robot","password":"SECRET-of-others"}`), "", "", 1, "401 Unauthorized"},
		{"damaged", "home/.docker/config.json", `{"auths":{"HOST":{"auth":"SECRET-of-robot"`, "", "", 1, "is not JSON with logins"},
		{"not base64", "home/.docker/config.json", auths("HOST", `{"auth":"SECRET-of-robot"}`), "", "", 1, "not base64"},
		{"identity token", "home/.docker/config.json", `{"credsStore":"test"}`, identity, "", 0, ""},
	} {
		for _, bearer := range []bool{false, true} {
			if !bearer && row.name == "identity token" {
				continue
			}
			t.Run(fmt.Sprintf("%s/bearer=%t", row.name, bearer), func(t *testing.T) {
				t.Parallel()
				g := &guard{registry: plainRegistry(), bearer: bearer}
				s := start(t, g)
				w := newWorkspace(t, "oci://"+s.host+"/owner/btf:a")
				home := filepath.Join(w.dir, "home")
				w.write(row.file, strings.ReplaceAll(row.text, "HOST", s.host))
				if row.helper != "" {
					w.write("home/bin/docker-credential-test", row.helper)
					if err := os.Chmod(filepath.Join(home, "bin", "docker-credential-test"), 0o755); err != nil {
						t.Fatal(err)
					}
				}
				w.env[0] = "PATH=" + filepath.Join(home, "bin") + ":" + os.Getenv("PATH")
				if row.env != "" {
					w.env = append(w.env, strings.ReplaceAll(row.env, "HOME", home))
				}
				out := w.publish(row.code)
				if !strings.Contains(out, row.says) {
					t.Errorf("the error does not say %q:\n%s", row.says, out)
				}
				noSecrets(t, w, out, "SECRET", "TOKEN", login)
				if n := s.count("POST", "blobs"); row.code != 0 && n != 0 {
					t.Errorf("%d uploads were begun", n)
				}
				if bearer && row.code == 0 && (g.issued < 2 || g.scope != "repository:owner/btf:pull,push") {
					t.Errorf("%d tokens, the last with the scope %q", g.issued, g.scope)
				}
			})
		}
	}
}

// What is for the registry is not sent to other hosts: not to a storage that it redirects to, nor where it wants uploads.
func TestOtherHosts(t *testing.T) {
	storage := map[string][]byte{}
	var mu sync.Mutex
	leaked := ""
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		leaked += r.Header.Get("Authorization")
		_, _ = w.Write(storage[r.URL.Path])
	}))
	t.Cleanup(other.Close)
	s := start(t, &guard{registry: plainRegistry()})
	s.answer = func(r *http.Response) error { // blobs are read from the other host
		if r.Request.Method == "GET" && strings.Contains(r.Request.URL.Path, "/blobs/sha256:") && r.StatusCode == 200 {
			data, err := io.ReadAll(r.Body)
			if err != nil {
				return err
			}
			r.Body.Close()
			mu.Lock()
			storage[r.Request.URL.Path] = data
			mu.Unlock()
			r.StatusCode, r.Body, r.ContentLength = 307, http.NoBody, 0
			r.Header = http.Header{"Location": {strings.Replace(other.URL, "127.0.0.1", "localhost", 1) + r.Request.URL.Path + "?signature=SIGNATURE"}}
		}
		return nil
	}
	w := newWorkspace(t, "oci://"+s.host+"/owner/btf:a")
	w.write("home/.docker/config.json", fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, s.host, login))
	out := w.publish(0)
	if len(storage) == 0 || leaked != "" {
		t.Errorf("%d blobs were read elsewhere, with the authorization %q", len(storage), leaked)
	}
	noSecrets(t, w, out, "SECRET", login, "SIGNATURE")
}

// A recorder keeps requests, to check their signatures.
type recorder struct {
	store http.Handler
	mu    sync.Mutex
	list  []*http.Request
}

func (r *recorder) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	r.list = append(r.list, q.Clone(q.Context()))
	r.mu.Unlock()
	r.store.ServeHTTP(w, q)
}

// Requests are signed as MinIO's client signs them. Credentials come from the environment or from files, and are never shown.
func TestSignatures(t *testing.T) {
	const session = "SESSIONTOKEN"
	profile := fmt.Sprintf("[default]\naws_access_key_id = other\naws_secret_access_key = other\n\n[hub]\naws_access_key_id=%s\naws_secret_access_key = %s\n"+
		"aws_session_token = %s\n", accessKey, secretKey, session)
	for _, row := range []struct {
		name     string
		env      []string
		file     string
		region   string
		unsigned bool
	}{
		{"environment", []string{"AWS_ACCESS_KEY_ID=" + accessKey, "AWS_SECRET_ACCESS_KEY=" + secretKey, "AWS_SESSION_TOKEN=" + session}, "", "us-east-1", false},
		{"profile", []string{"AWS_PROFILE=hub", "AWS_REGION=eu-central-1"}, "home/.aws/credentials", "eu-central-1", false},
		{"a file of its own", []string{"AWS_PROFILE=hub", "AWS_SHARED_CREDENTIALS_FILE=keys"}, "keys", "us-east-1", false},
		{"none", nil, "", "", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := &recorder{store: plainBucket(t, "kernels")}
			s := start(t, r)
			w := newWorkspace(t, "s3://kernels/${{ image.name }}/with=special,characters&more", append(row.env, "AWS_ENDPOINT_URL="+s.url)...)
			if row.file != "" {
				w.write(row.file, profile)
			}
			out := w.publish(0)
			if row.file != "keys" { // which is not output
				noSecrets(t, w, out, accessKey, secretKey, session)
			}
			if len(r.list) < 8 {
				t.Fatalf("%d requests", len(r.list))
			}
			for _, q := range r.list {
				have := q.Header.Get("Authorization")
				if want := resigned(t, q, session, row.region); have != want && !row.unsigned || row.unsigned && have != "" {
					t.Errorf("%s %s: got %s, want %s", q.Method, q.URL, have, want)
				}
			}
		})
	}
}

// resigned returns the signature that MinIO's client gives a request at its time.
func resigned(t *testing.T, q *http.Request, session, region string) (authorization string) {
	t.Helper()
	_, list, _ := strings.Cut(q.Header.Get("Authorization"), "SignedHeaders=")
	list, _, _ = strings.Cut(list, ",")
	at, err := time.Parse("20060102T150405Z", q.Header.Get("X-Amz-Date"))
	if err != nil {
		return ""
	}
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(at))
		again, err := http.NewRequestWithContext(t.Context(), q.Method, "http://"+q.Host+q.URL.RequestURI(), http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		for name := range strings.SplitSeq(list, ";") {
			if name != "host" {
				again.Header.Set(name, q.Header.Get(name))
			}
		}
		authorization = signer.SignV4(*again, accessKey, secretKey, session, region).Header.Get("Authorization")
	})
	return authorization
}
