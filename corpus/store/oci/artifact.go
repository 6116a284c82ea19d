package oci

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"

	"github.com/btfbatch/btfbatch/corpus/store"
)

// Media types. docs/publish.md has those of the files.
const (
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	emptyType    = "application/vnd.oci.empty.v1+json"
	// ArtifactType is the type of what btfbatch publishes of an image.
	ArtifactType = "application/vnd.btfbatch.image.v1"
)

// MediaType returns the type of a file of an artifact.
func MediaType(f *store.File) string {
	kind := "application/vnd.btfbatch." + f.Kind + ".v1"
	switch {
	case f.Packed == "gz", f.Packed == "gzip":
		return kind + "+gzip"
	case f.Packed != "":
		return kind + "+" + f.Packed
	case f.Kind == "json", f.Kind == store.KindEvidence:
		return kind + "+json"
	}
	return kind
}

// Annotations of manifests and of their files.
const (
	annotationTitle   = "org.opencontainers.image.title"
	annotationCreated = "org.opencontainers.image.created"
	// created is the time of all artifacts. The time of the run would give every run a digest of its own.
	created = "1970-01-01T00:00:00Z"
)

// A descriptor names a blob.
type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int64             `json:"size"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// A manifest names the files of an artifact.
type manifest struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType"`
	ArtifactType  string            `json:"artifactType"`
	Config        descriptor        `json:"config"`
	Layers        []descriptor      `json:"layers"`
	Annotations   map[string]string `json:"annotations,omitempty"`

	version string // the ETag, if the registry states one
}

// empty is the configuration of an artifact, which has none.
var empty = store.Bytes("configuration", "", []byte("{}"))

func descriptorOf(f *store.File) descriptor {
	return descriptor{MediaType: MediaType(f), Digest: "sha256:" + f.SHA256, Size: f.Size, Annotations: map[string]string{annotationTitle: f.Name}}
}

// manifestOf returns the manifest of an artifact. Equal artifacts have equal manifests.
func manifestOf(a *store.Artifact) *manifest {
	m := &manifest{SchemaVersion: 2, MediaType: manifestType, ArtifactType: cmp.Or(a.Type, ArtifactType), Annotations: maps.Clone(a.Annotations),
		Config: descriptor{MediaType: emptyType, Digest: "sha256:" + empty.SHA256, Size: empty.Size}}
	if m.Annotations == nil {
		m.Annotations = map[string]string{}
	}
	m.Annotations[annotationTitle], m.Annotations[annotationCreated] = a.Name, created
	for i := range a.Files {
		m.Layers = append(m.Layers, descriptorOf(&a.Files[i]))
	}
	return m
}

// lasting returns the names and digests of the files that decide whether two artifacts are equal, sorted.
func (m *manifest) lasting() (list []string) {
	evidence := "application/vnd.btfbatch." + store.KindEvidence + "."
	for _, l := range m.Layers {
		if len(l.MediaType) < len(evidence) || l.MediaType[:len(evidence)] != evidence {
			list = append(list, hexOf(l.Digest)+"  "+l.Annotations[annotationTitle])
		}
	}
	store.SortByName(list)
	return list
}

func hexOf(digest string) string {
	if len(digest) > 7 && digest[:7] == "sha256:" {
		return digest[7:]
	}
	return digest
}

// Publish implements store.Publisher.
func (r *Repository) Publish(ctx context.Context, a *store.Artifact, replace bool) (store.Receipt, error) {
	m := manifestOf(a)
	text, err := json.Marshal(m)
	if err != nil {
		return store.Receipt{}, err
	}
	file := store.Bytes(r.at.Tag, "manifest", text)
	receipt := store.Receipt{At: r.at.String(), SHA256: file.SHA256, State: store.New}
	have, sum, err := r.manifest(ctx, r.at.Tag)
	switch {
	case errors.Is(err, store.ErrAbsent):
	case err != nil:
		return receipt, r.about(err)
	case slices.Equal(have.lasting(), m.lasting()):
		receipt.State, receipt.SHA256 = store.There, sum
		return receipt, nil
	case !replace:
		return receipt, &store.ChangedError{At: receipt.At, Have: have.lasting(), Want: m.lasting()}
	default:
		receipt.State = store.Replaced
	}
	if err := r.push(ctx, &empty); err != nil {
		return receipt, r.about(err)
	}
	for i := range a.Files {
		if err := r.push(ctx, &a.Files[i]); err != nil {
			return receipt, r.about(err)
		}
	}
	return receipt, r.about(r.putManifest(ctx, &file, have.version, receipt.State == store.Replaced))
}

// Files lists the names, sizes and digests of the files of the artifact. The error is store.ErrAbsent if there is none.
func (r *Repository) Files(ctx context.Context) (files []store.File, err error) {
	m, _, err := r.manifest(ctx, r.at.Tag)
	if err != nil {
		return nil, r.about(err)
	}
	for _, l := range m.Layers {
		files = append(files, store.File{Name: l.Annotations[annotationTitle], Size: l.Size, SHA256: hexOf(l.Digest)})
	}
	return files, nil
}

// putManifest writes a manifest first by its digest, then under the tag, and compares what the tag leads to then. was is the version that the tag
// had, if it is to be replaced.
//
// The problem: two processes publish different artifacts under one tag at the same time, and both believe that theirs is there. The protocol has
// no condition for a tag. So the tag is read just before it is written, the request has the conditions of HTTP (If-None-Match, If-Match), which some
// registries honour, and the tag is read after it was written. Whoever finds another artifact then has lost, and says so. What remains is this: another
// process has read the tag before this one wrote it, and writes it after this one has read it again.
func (r *Repository) putManifest(ctx context.Context, file *store.File, was string, replace bool) error {
	digest := "sha256:" + file.SHA256
	if err := r.put(ctx, file, digest, nil); err != nil {
		return err
	}
	condition := http.Header{"If-None-Match": {"*"}}
	if replace {
		condition = http.Header{}
		if was != "" {
			condition.Set("If-Match", was)
		}
	} else if err := r.checkTag(ctx, file, true); err != nil {
		return err
	}
	err := r.put(ctx, file, r.at.Tag, condition)
	if err != nil && store.Status(err) != http.StatusPreconditionFailed { // otherwise the tag says who was faster
		return err
	}
	return r.checkTag(ctx, file, false)
}

// put writes a manifest under a name.
func (r *Repository) put(ctx context.Context, file *store.File, name string, header http.Header) error {
	all := http.Header{"Content-Type": {manifestType}}
	maps.Copy(all, header)
	err := r.do(ctx, &store.Request{Method: http.MethodPut, URL: r.base + "manifests/" + name, Body: file, Header: all,
		Accept: []int{http.StatusCreated, http.StatusOK}})
	if err != nil {
		return fmt.Errorf("the manifest: %w", err)
	}
	return nil
}

// checkTag returns an error if the tag leads to another manifest. absent says that it may lead to none.
func (r *Repository) checkTag(ctx context.Context, file *store.File, absent bool) error {
	have, sum, err := r.manifest(ctx, r.at.Tag)
	switch {
	case absent && errors.Is(err, store.ErrAbsent):
		return nil
	case err != nil:
		return err
	case sum == file.SHA256:
		return nil
	case absent:
		return &store.ChangedError{At: r.at.String(), Have: have.lasting()}
	}
	// What is returned by its digest is undamaged, so the tag leads to what somebody else wrote.
	if _, own, err := r.manifest(ctx, "sha256:"+file.SHA256); err == nil && own == file.SHA256 {
		return &store.ChangedError{At: r.at.String(), Have: have.lasting()}
	}
	return &store.DigestError{At: "the manifest", Found: sum, Wanted: file.SHA256}
}

// maxManifest is the maximum size of a manifest, in bytes: what registries accept.
const maxManifest = 4 << 20

// manifest reads a manifest by its tag or digest, and returns its digest too.
func (r *Repository) manifest(ctx context.Context, name string) (*manifest, string, error) {
	m, sum := &manifest{}, ""
	err := r.do(ctx, &store.Request{Method: http.MethodGet, URL: r.base + "manifests/" + name, Accept: []int{http.StatusOK},
		Header: http.Header{"Accept": {manifestType + ", application/vnd.oci.image.index.v1+json, */*;q=0.1"}},
		Use: func(resp *http.Response) error {
			text, err := io.ReadAll(io.LimitReader(store.Answer(resp.Body), maxManifest+1))
			if err != nil {
				return err
			}
			if len(text) > maxManifest {
				return fmt.Errorf("the manifest has more than %d bytes", maxManifest)
			}
			*m = manifest{version: resp.Header.Get("ETag")}
			if err := json.Unmarshal(text, m); err != nil {
				return errors.New("the manifest is not JSON")
			}
			sum, _, err = store.SumOf(bytes.NewReader(text))
			return err
		}})
	return m, sum, err
}
