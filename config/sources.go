package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// How a lock names places: as the manifest does, so that they are the same on every machine. Paths are relative to the folder of the manifest and
// have slashes. The folder of an absolute path is one of a machine, and is left out.

// PathOf returns the path of an image for a lock, or "" if the image has a From.
func (m *Manifest) PathOf(im *Image) string {
	switch {
	case im.From != nil:
		return ""
	case im.absolute && im.folder != "":
		return relative(im.folder, im.Path)
	}
	return m.relative(im.Path, im.absolute)
}

// PatternOf returns the pattern that found an image, for a lock; "" for an image that the manifest names.
func (m *Manifest) PatternOf(im *Image) string {
	if im.Pattern == "" || im.From != nil || im.absolute {
		return im.Pattern
	}
	return path.Join(m.relative(im.folder, false), im.Pattern)
}

// ListOf returns the path or the glob under images_from, or the glob under include, that an image is from, for a lock; "" if there is none.
func (m *Manifest) ListOf(im *Image) string {
	if im.src == nil || im.src.list.pattern == "" {
		return ""
	}
	return m.relative(im.src.list.pattern, im.src.list.absolute)
}

// BasePathOf returns the base_path of an image for a lock.
func (m *Manifest) BasePathOf(im *Image) string {
	if im.BasePath == "" {
		return ""
	}
	return m.relative(im.BasePath, im.baseAbsolute)
}

// FromOf returns the From of an image for a lock, as KIND=WHERE, or "" if it has none. An archive for apt that is not the one of the system
// follows after an @.
func (m *Manifest) FromOf(im *Image) string {
	f := im.From
	switch {
	case f == nil:
		return ""
	case f.Kind == FromApt:
		text := f.Kind + "=" + f.Apt.Suite + "/" + f.Apt.Arch + "/" + f.Apt.Package
		if f.Apt.Mirror != "" {
			text += "@" + lockURL(f.Apt.Mirror)
		}
		return text
	case f.Kind != FromDeb && f.Kind != FromRPM || strings.Contains(f.Where, "://"):
		return f.Kind + "=" + lockURL(f.Where)
	}
	return f.Kind + "=" + m.relative(f.Where, f.absolute)
}

func (m *Manifest) relative(file string, absolute bool) string {
	if absolute {
		return filepath.Base(file)
	}
	return relative(m.Dir, file)
}

func relative(folder, file string) string {
	rel, err := filepath.Rel(folder, file)
	if err != nil { // not possible: the path was joined to the folder
		rel = filepath.Base(file)
	}
	return filepath.ToSlash(rel)
}

// PublicURL removes the password from a URL, and its query, which may have a signature. Other text stays as it is.
func PublicURL(s string) string {
	if u, err := url.Parse(s); err == nil && u.Host != "" {
		u.RawQuery, u.ForceQuery = "", false
		return u.Redacted()
	}
	return s
}

// lockURL is PublicURL with a digest in the place of the query, because a query can choose the file. Parameters that give access to a file do not
// choose it. They are left out, because they often change.
func lockURL(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.RawQuery == "" {
		return PublicURL(s)
	}
	chosen := slices.DeleteFunc(strings.Split(u.RawQuery, "&"), func(pair string) bool {
		key, _, _ := strings.Cut(strings.ToLower(pair), "=")
		return key == "" || slices.Contains(accessKeys, key) || strings.HasPrefix(key, "x-amz-") || strings.HasPrefix(key, "x-goog-")
	})
	if len(chosen) == 0 {
		return PublicURL(s)
	}
	sum := sha256.Sum256([]byte(strings.Join(chosen, "&")))
	return PublicURL(s) + "?sha256=" + hex.EncodeToString(sum[:8])
}

// accessKeys are parameters in URLs, in lower case, that sign a request or have a token: those of the stores S3, Google and Azure, of CloudFront, and
// usual names. The parameters of S3 and Google that begin with X-Amz- and X-Goog- belong to them.
var accessKeys = []string{
	"signature", "expires", "awsaccesskeyid", "googleaccessid", "key-pair-id", "policy",
	"sig", "se", "sp", "sr", "st", "spr", "skoid", "sktid", "skt", "ske", "sks", "skv",
	"token", "access_token", "private_token", "job_token", "sas", "key", "api_key", "apikey", "auth", "password", "secret",
}

// SourcesSHA256 returns a digest of all that the images of the manifest say about where they are and which files these must be. It does not depend
// on the order of the images, nor on the folder of the manifest. It is computed before any Fill.
func (m *Manifest) SourcesSHA256() string {
	lines := make([]string, len(m.Images))
	for i := range m.Images {
		im := &m.Images[i]
		member, pin := "", im.SHA256
		if im.From != nil {
			member, pin = im.From.Member, im.From.SHA256
		}
		lines[i] = fmt.Sprintf("%q path %q %q from %q %q sha256 %q build_id %q kind %q release %q arch %q base %q %q %q\n", im.Name, m.PathOf(im), im.Glob,
			m.FromOf(im), member, pin, im.BuildID, im.Kind, im.Release, im.Arch, im.Base, m.BasePathOf(im), im.BaseSHA256)
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte("sources 1\n" + strings.Join(lines, "")))
	return hex.EncodeToString(sum[:])
}
