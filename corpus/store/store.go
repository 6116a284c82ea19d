// Package store publishes finished files in stores: OCI registries, S3-compatible buckets and folders.
//
// Input: an artifact, which is the files of one image with their digests, and the address of a place. Output: the artifact is in its place, or
// an error says why not. Readers see it whole or not at all, because what names its files (a tag, or a file of sums) is written last, after
// what was written was compared with its digest. An artifact that is there already is not written again, and one that is there with other
// contents is an error. Never: the package knows nothing about BTF, and shows no credentials.
//
// This package has what the stores share: the model, the order of writing in stores that have whole objects under names, and requests that
// are repeated. Packages oci, s3 and folder are the stores.
package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// An Artifact is what is published of one image.
type Artifact struct {
	Name        string            // of the image
	Type        string            // media type in a registry; empty stands for that of images
	Annotations map[string]string // what is known about it; shown by registries
	Files       []File            // at least one
}

// A File is a file of an artifact.
type File struct {
	Name   string // without a folder; unique in its artifact
	Kind   string // as in a manifest: btf, dump and so on
	Packed string // how it is compressed, or empty
	Size   int64
	SHA256 string                            // lower-case hex
	Open   func() (io.ReadSeekCloser, error) // each call returns the file from its start
}

// KindEvidence is the kind of files that say how the others were made. They may differ where the others are equal, because another version
// of the program makes the same BTF. What was published first stays.
const KindEvidence = "evidence"

// lasting returns the names and digests of the files that decide whether two artifacts are equal, sorted.
func (a *Artifact) lasting() (list []string) {
	for i := range a.Files {
		if f := &a.Files[i]; f.Kind != KindEvidence {
			list = append(list, f.SHA256+"  "+f.Name)
		}
	}
	SortByName(list)
	return list
}

// SortByName sorts lines with a digest, two spaces and a name.
func SortByName(lines []string) {
	slices.SortFunc(lines, func(a, b string) int {
		_, x, _ := strings.Cut(a, "  ")
		_, y, _ := strings.Cut(b, "  ")
		return cmp.Or(cmp.Compare(x, y), cmp.Compare(a, b))
	})
}

// A State says what publishing did.
type State string

// The states of an artifact that is published.
const (
	New      State = "new"      // it was not there
	There    State = "there"    // it was there, with the same contents
	Replaced State = "replaced" // it was there with other contents, and was replaced
)

// A Receipt says what was published where.
type Receipt struct {
	At     string // where readers find it, as an address
	SHA256 string // of what names its files, in lower-case hex: the manifest in a registry, the file of sums elsewhere
	State  State
}

// A Publisher is a place for an artifact.
type Publisher interface {
	// Publish puts an artifact in its place. If there is another one, replace says whether to replace it; otherwise the error is a *ChangedError.
	Publish(ctx context.Context, a *Artifact, replace bool) (Receipt, error)
}

// A ChangedError says that a store has other contents under a name that must not change.
type ChangedError struct {
	At   string   // address of what has other contents
	Have []string // what is there: names and digests; may be empty
	Want []string
}

func (e *ChangedError) Error() string {
	text := e.At + " has other contents, and what is published must not change; publish under another name, or set replace: true"
	if diff := e.difference(); diff != "" {
		text += " (" + diff + ")"
	}
	return text
}

// difference names the first file that differs.
func (e *ChangedError) difference() string {
	name := func(line string) string {
		_, name, _ := strings.Cut(line, "  ")
		return name
	}
	for _, line := range e.Want {
		if slices.Contains(e.Have, line) {
			continue
		}
		for _, other := range e.Have {
			if name(other) == name(line) {
				other, _, _ := strings.Cut(other, " ")
				line, at, _ := strings.Cut(line, "  ")
				return fmt.Sprintf("%s: sha256 %.12s there, %.12s here", at, other, line)
			}
		}
		return name(line) + " is not there"
	}
	for _, line := range e.Have {
		if !slices.Contains(e.Want, line) {
			return name(line) + " is there and not here"
		}
	}
	return ""
}

// A DigestError says that a store does not return what was written to it.
type DigestError struct{ At, Found, Wanted string }

func (e *DigestError) Error() string {
	return fmt.Sprintf("%s: the store returns sha256 %.12s after %.12s was written", e.At, e.Found, e.Wanted)
}

// ErrAbsent says that a store does not have what was asked for.
var ErrAbsent = errors.New("the store does not have it")

// ErrExists says that an object was not written because there is one of its name.
var ErrExists = errors.New("there is an object of this name")
