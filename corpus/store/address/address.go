// Package address reads the addresses of places in stores.
//
// Input: a text such as oci://ghcr.io/owner/btf:6.1, s3://bucket/prefix or file:///srv/btf. Output: its parts. Never: the package looks for
// the place, and an address never contains credentials.
package address

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// The schemes of addresses.
const (
	Registry = "oci"  // a repository of an OCI registry, and a tag
	Bucket   = "s3"   // a bucket of an S3-compatible service, and a prefix of names
	Folder   = "file" // a folder
)

// Pattern matches texts that begin like an address.
const Pattern = `^(?:oci|s3|file)://`

// Is reports whether a text begins like the address of a registry or a bucket.
func Is(text string) bool {
	return strings.HasPrefix(text, Registry+"://") || strings.HasPrefix(text, Bucket+"://")
}

// An Address is a place in a store.
type Address struct {
	Scheme string
	Host   string // the registry, with its port if there is one; the bucket; empty for a folder
	Path   string // the repository; the prefix, without slashes at its ends, may be empty; the folder
	Tag    string // of an artifact in a registry; may be empty
}

// String returns the address as text.
func (a Address) String() string {
	text := a.Scheme + "://" + a.Host
	switch {
	case a.Scheme == Folder:
		text += filepath.ToSlash(a.Path)
	case a.Path != "":
		text += "/" + a.Path
	}
	if a.Tag != "" {
		text += ":" + a.Tag
	}
	return text
}

// Parse reads an address. Errors do not contain what may be a password.
func Parse(text string) (Address, error) {
	scheme, rest, found := strings.Cut(text, "://")
	if !found {
		return Address{}, errors.New("it is not an address; write oci://HOST/REPOSITORY:TAG, s3://BUCKET/PREFIX or file:///FOLDER")
	}
	host, path, _ := strings.Cut(rest, "/")
	if strings.Contains(host, "@") {
		return Address{}, errors.New("it contains a user name or a password; see docs/publish.md for where credentials belong")
	}
	if strings.ContainsAny(rest, "?#") {
		return Address{}, errors.New("it contains ? or #, which an address of a store cannot have")
	}
	for _, r := range rest {
		if r <= ' ' || r == 0x7f {
			return Address{}, fmt.Errorf("it contains the character %q", r)
		}
	}
	switch scheme {
	case Registry:
		return registry(host, path)
	case Bucket:
		return bucket(host, path)
	case Folder:
		return folder(host, path)
	}
	return Address{}, fmt.Errorf("the scheme %q is not supported; use oci, s3 or file", scheme)
}

func registry(host, path string) (Address, error) {
	a := Address{Scheme: Registry, Host: host}
	name, port, hasPort := strings.Cut(host, ":")
	if n, err := strconv.ParseUint(port, 10, 16); hasPort && (err != nil || n == 0) {
		return a, fmt.Errorf("the registry %q has no valid port", host)
	}
	if !consists(name, letters+digits+".-") {
		return a, fmt.Errorf("%q is not the name of a registry", host)
	}
	if strings.Contains(path, "@") {
		return a, errors.New("it contains a digest; btfbatch publishes under tags")
	}
	a.Path = path
	if i := strings.LastIndexByte(path, ':'); i >= 0 {
		a.Path, a.Tag = path[:i], strings.ReplaceAll(path[i+1:], "+", "_")
		if !consists(a.Tag, letters+digits+"_.-") || strings.ContainsAny(a.Tag[:1], ".-") || len(a.Tag) > 128 {
			return a, fmt.Errorf("%q is not a tag: it may have letters, digits, _, . and -, at most 128 of them, and begins with a letter, a digit or _", path[i+1:])
		}
	}
	for part := range strings.SplitSeq(a.Path, "/") {
		if !isComponent(part) {
			return a, fmt.Errorf("%q is not a repository: between slashes it has lower-case letters and digits, with one . or _, two _, or any number of - between them", a.Path)
		}
	}
	return a, nil
}

const (
	lower   = "abcdefghijklmnopqrstuvwxyz"
	digits  = "0123456789"
	letters = lower + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// consists reports whether a text is not empty and consists of some characters.
func consists(text, of string) bool { return text != "" && strings.Trim(text, of) == "" }

// isComponent reports whether a part of a repository's name is valid by the OCI distribution specification.
func isComponent(part string) bool {
	if part == "" {
		return false
	}
	for separators, rest := "", part; rest != ""; {
		words := strings.TrimLeft(rest, lower+digits)
		if len(words) == len(rest) { // no word where there must be one
			return false
		}
		if words == "" {
			return true
		}
		rest = strings.TrimLeft(words, "._-")
		separators = words[:len(words)-len(rest)]
		if separators != "." && separators != "_" && separators != "__" && strings.Trim(separators, "-") != "" || separators == "" {
			return false
		}
	}
	return false // it ends with a separator
}

// maxName is the maximum length of an object's name in S3, in bytes. The rest is for the names of files.
const maxName = 1024 - 256

func bucket(host, path string) (Address, error) {
	a := Address{Scheme: Bucket, Host: host, Path: strings.Trim(path, "/")}
	if !consists(host, lower+digits+".-") || len(host) < 3 || len(host) > 63 || strings.Trim(host, ".-") != host || strings.Contains(host, "..") {
		return a, fmt.Errorf("%q is not the name of a bucket: it has 3 to 63 lower-case letters, digits, . and -", host)
	}
	if len(a.Path) > maxName {
		return a, fmt.Errorf("the prefix has more than %d bytes", maxName)
	}
	for part := range strings.SplitSeq(a.Path, "/") {
		if part == "." || part == ".." || part == "" && a.Path != "" {
			return a, fmt.Errorf("the prefix %q has a part that is empty, . or .. only", a.Path)
		}
	}
	return a, nil
}

func folder(host, path string) (Address, error) {
	if host != "" || path == "" {
		return Address{}, errors.New("a folder has three slashes after file:, and an absolute path: file:///FOLDER")
	}
	at := filepath.FromSlash("/" + path)
	if filepath.VolumeName(filepath.FromSlash(path)) != "" { // file:///C:/folder
		at = filepath.FromSlash(path)
	}
	return Address{Scheme: Folder, Path: filepath.Clean(at)}, nil
}
