package s3

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// settings say which service is used, and who asks. Credentials come from the environment, or from the files of Amazon's tools.
type settings struct {
	endpoint string // URL; empty: Amazon
	region   string
	key      string // empty: requests are not signed
	secret   string
	token    string // of temporary credentials
}

// settingsOf reads the environment, and the files that it names. The variables and files are those of Amazon's tools.
func settingsOf(env func(string) (string, bool)) (*settings, error) {
	get := func(names ...string) string {
		for _, name := range names {
			if v, _ := env(name); v != "" {
				return v
			}
		}
		return ""
	}
	s := &settings{
		endpoint: get("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"), region: get("AWS_REGION", "AWS_DEFAULT_REGION"),
		key: get("AWS_ACCESS_KEY_ID"), secret: get("AWS_SECRET_ACCESS_KEY"), token: get("AWS_SESSION_TOKEN"),
	}
	if (s.key == "") != (s.secret == "") {
		return nil, errors.New("only one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set")
	}
	profile := get("AWS_PROFILE")
	folder := ""
	if home := get("HOME", "USERPROFILE"); home != "" {
		folder = filepath.Join(home, ".aws")
	}
	found := map[string]string{}
	for _, f := range []struct{ variable, name string }{{"AWS_CONFIG_FILE", "config"}, {"AWS_SHARED_CREDENTIALS_FILE", "credentials"}} {
		path := get(f.variable)
		if path == "" && folder != "" {
			path = filepath.Join(folder, f.name)
		}
		if err := readProfile(path, profile, found); err != nil {
			return nil, err
		}
	}
	if s.key == "" && profile != "" && len(found) == 0 {
		return nil, fmt.Errorf("no file has the profile %q of AWS_PROFILE", profile)
	}
	if s.key == "" {
		s.key, s.secret, s.token = found["aws_access_key_id"], found["aws_secret_access_key"], found["aws_session_token"]
	}
	if s.endpoint == "" {
		s.endpoint = found["endpoint_url"]
	}
	if s.region == "" {
		s.region = found["region"]
	}
	if s.region == "" {
		s.region = "us-east-1"
	}
	if strings.Trim(s.region, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return nil, errors.New("the region in AWS_REGION is not a name: it has lower-case letters, digits and -")
	}
	return s, nil
}

// readProfile reads the values of a profile in a file of Amazon's tools, which has sections and lines NAME = VALUE. It is no error if there is
// no such file.
func readProfile(path, profile string, into map[string]string) error {
	if path == "" {
		return nil
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		return nil
	}
	if err != nil {
		return err
	}
	if profile == "" {
		profile = "default"
	}
	inside := false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "["); ok {
			name, _, _ = strings.Cut(name, "]")
			name = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(name), "profile "))
			inside = name == profile
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if inside && ok && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, ";") {
			into[strings.ToLower(strings.TrimSpace(key))] = strings.TrimSpace(value)
		}
	}
	return nil
}
