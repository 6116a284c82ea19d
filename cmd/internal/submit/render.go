package submit

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"
)

// inContainer returns the job as it runs in a container: the volume is its working folder, and the program is on the path.
func (j *Job) inContainer() (*Job, error) {
	if err := j.checkYAML(); err != nil {
		return nil, err
	}
	in := *j
	in.Program, in.Dir, in.Again = "btfbatch", mount, "" // a shard runs again by itself
	return &in, in.local("below the volume that is mounted at " + mount)
}

// inRepository returns the job as it runs in a checkout.
func (j *Job) inRepository() (*Job, error) {
	if err := j.checkYAML(); err != nil {
		return nil, err
	}
	in := *j
	in.Program, in.Dir, in.Again = "btfbatch", ".", ""
	return &in, in.local("in the repository")
}

// local refuses paths that are not below the folder of the manifest, and writes the others with slashes.
func (j *Job) local(where string) error {
	for _, f := range []struct {
		what string
		name *string
	}{{"manifest", &j.Manifest}, {"folder", &j.Folder}, {"file of --sums", &j.Sums}, {"file of --provenance", &j.Provenance}} {
		if *f.name == "" {
			continue
		}
		if !filepath.IsLocal(*f.name) {
			return fmt.Errorf("the %s %s must be a relative path, %s", f.what, *f.name, where)
		}
		*f.name = filepath.ToSlash(*f.name)
	}
	return nil
}

// checkYAML refuses bytes that are not UTF-8, for which YAML has no form.
func (j *Job) checkYAML() error {
	for _, text := range append([]string{j.Manifest, j.Folder, j.Image, j.Sums, j.Provenance}, j.Flags...) {
		if !utf8.ValidString(text) {
			return fmt.Errorf("%q is not UTF-8, so a job in YAML cannot have it", text)
		}
	}
	return nil
}

// yamlText is a scalar of YAML. JSON's form of a string is one of YAML's.
func yamlText(s string) string {
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./=", r))
	}) && (s[0] >= 'a' && s[0] <= 'z' || s[0] == '/' || strings.HasPrefix(s, "--")) && s != "true" && s != "false" && s != "null" && s != "yes" && s != "no" && s != "on" && s != "off" && s != "y" && s != "n" {
		return s
	}
	return strconv.Quote(s) // escapes beyond ASCII are those of YAML as well
}
