package oci

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// credentials finds logins where docker login, podman login and oras login put them: in a file, or in a helper program that the file names.
type credentials struct {
	host, repository string
	env              func(string) (string, bool)
}

// A loginFile is the part of Docker's config.json that is about logins.
type loginFile struct {
	Auths       map[string]loginEntry `json:"auths"`
	CredHelpers map[string]string     `json:"credHelpers"`
	CredsStore  string                `json:"credsStore"`
}

type loginEntry struct {
	Auth          string `json:"auth"` // user:password in base64
	Username      string `json:"username"`
	Password      string `json:"password"`
	IdentityToken string `json:"identitytoken"`
}

// find returns the login for the repository. It is empty if there is none.
func (c credentials) find(ctx context.Context) (login, error) {
	for _, path := range c.files() {
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			continue
		}
		if err != nil {
			return login{}, err
		}
		var f loginFile
		if json.Unmarshal(data, &f) != nil { // the error might quote a password
			return login{}, fmt.Errorf("%s is not JSON with logins", path)
		}
		l, found, err := c.in(ctx, &f)
		if err != nil || found {
			return l, err
		}
	}
	return login{}, nil
}

// files lists the files that may have logins.
func (c credentials) files() (list []string) {
	add := func(variable string, below ...string) {
		if v, _ := c.env(variable); v != "" {
			list = append(list, filepath.Join(append([]string{v}, below...)...))
		}
	}
	add("REGISTRY_AUTH_FILE")
	if v, _ := c.env("DOCKER_CONFIG"); v != "" {
		add("DOCKER_CONFIG", "config.json")
	} else {
		add("HOME", ".docker", "config.json")
		add("USERPROFILE", ".docker", "config.json")
	}
	add("XDG_RUNTIME_DIR", "containers", "auth.json")
	return list
}

// keys lists the names under which a login for the repository may be stored: podman knows logins for a part of a registry.
func (c credentials) keys() []string {
	list := []string{}
	for at := c.host + "/" + c.repository; ; {
		list = append(list, at)
		i := strings.LastIndexByte(at, '/')
		if i < 0 {
			break
		}
		at = at[:i]
	}
	list = append(list, "https://"+c.host, "https://"+c.host+"/v2/", "https://"+c.host+"/v1/")
	if c.host == "docker.io" {
		list = append(list, "https://index.docker.io/v1/", "index.docker.io")
	}
	return list
}

// in looks for the login in one file.
func (c credentials) in(ctx context.Context, f *loginFile) (l login, found bool, err error) {
	for _, key := range c.keys() {
		helper := f.CredHelpers[key]
		if helper != "" {
			return askHelper(ctx, helper, key)
		}
		if e, ok := f.Auths[key]; ok && e != (loginEntry{}) {
			l = login{e.Username, e.Password, e.IdentityToken}
			if e.Auth == "" {
				return l, true, nil
			}
			text, err := base64.StdEncoding.DecodeString(e.Auth)
			user, password, ok := strings.Cut(string(text), ":")
			if err != nil || !ok {
				return login{}, false, fmt.Errorf("the login for %s in the docker configuration is not base64 of a name and a password", key)
			}
			l.user, l.password = user, strings.TrimRight(password, "\x00")
			return l, true, nil
		}
	}
	if f.CredsStore == "" {
		return login{}, false, nil
	}
	key := c.host
	if key == "docker.io" {
		key = "https://index.docker.io/v1/"
	}
	return askHelper(ctx, f.CredsStore, key)
}

// patience is how long a helper may take.
const patience = 30 * time.Second

// askHelper asks a helper program for a login, by the protocol of docker-credential-helpers: the name of the registry on standard input, and
// JSON on standard output.
func askHelper(ctx context.Context, name, key string) (l login, found bool, err error) {
	if name != filepath.Base(name) || strings.ContainsAny(name, `/\ `) {
		return l, false, errors.New("the docker configuration names a credential helper with a path")
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "docker-credential-"+name, "get") //nolint:gosec // a program of the PATH, without a path
	cmd.Stdin = strings.NewReader(key)
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Run(); err != nil {
		if strings.Contains(out.String(), "credentials not found") {
			return l, false, nil
		}
		if _, ok := errors.AsType[*exec.ExitError](err); !ok {
			return l, false, fmt.Errorf("docker-credential-%s: %w", name, err)
		}
		return l, false, fmt.Errorf("docker-credential-%s: it has no login for %s: %w", name, key, err)
	}
	var answer struct{ Username, Secret string }
	if json.Unmarshal(out.Bytes(), &answer) != nil { // the error might quote a password
		return l, false, fmt.Errorf("docker-credential-%s: its answer is not JSON", name)
	}
	if answer.Username == "<token>" {
		return login{token: answer.Secret}, true, nil
	}
	return login{user: answer.Username, password: answer.Secret}, true, nil
}
