package stores

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/content/memory"
	"oras.land/oras-go/v2/registry/remote"
)

// pull returns the files of an artifact by their titles, as oras pull writes them, and the digest of the manifest.
func pull(t *testing.T, host, tag string) (files map[string][]byte, m ocispec.Manifest, digest string, err error) {
	t.Helper()
	repo, err := remote.NewRepository(host + "/owner/btf")
	if err != nil {
		t.Fatal(err)
	}
	repo.PlainHTTP = true
	ctx := context.Background()
	into := memory.New()
	d, err := oras.Copy(ctx, repo, tag, into, tag, oras.DefaultCopyOptions)
	if err != nil {
		return nil, m, "", err
	}
	text, err := content.FetchAll(ctx, into, d)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	files = map[string][]byte{}
	for _, l := range m.Layers {
		data, err := content.FetchAll(ctx, into, l)
		if err != nil {
			t.Fatal(err)
		}
		files[l.Annotations[ocispec.AnnotationTitle]] = data
	}
	return files, m, d.Digest.String(), nil
}

func TestRegistry(t *testing.T) {
	s := newRegistry(t)
	w := newWorkspace(t, "oci://"+s.host+"/owner/btf:${{ image.name }}-1+2")
	w.run(0, "run", "m.yaml")
	if n := s.count("GET", ""); n != 0 {
		t.Errorf("a run without --publish sent %d requests", n)
	}
	out := w.publish(0)
	if !strings.Contains(out, "published: 1 new") {
		t.Errorf("the report does not say what was published:\n%s", out)
	}
	files, m, digest, err := pull(t, s.host, "a-1_2")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a.btf", "a.txt.zst", "a.btf.evidence.json"} {
		if string(files[name]) != string(w.read("out/"+name)) {
			t.Errorf("%s differs from the output", name)
		}
	}
	types := []string{}
	for _, l := range m.Layers {
		types = append(types, l.MediaType)
	}
	want := []string{"application/vnd.btfbatch.btf.v1", "application/vnd.btfbatch.dump.v1+zstd", "application/vnd.btfbatch.evidence.v1+json"}
	if !slices.Equal(types, want) {
		t.Errorf("media types %q, want %q", types, want)
	}
	if m.ArtifactType != "application/vnd.btfbatch.image.v1" || m.Annotations[ocispec.AnnotationCreated] != "1970-01-01T00:00:00Z" ||
		m.Annotations[ocispec.AnnotationTitle] != "a" || m.Config.MediaType != ocispec.MediaTypeEmptyJSON {
		t.Errorf("manifest %+v", m)
	}
	if !strings.Contains(string(w.read("r.json")), strings.TrimPrefix(digest, "sha256:")) {
		t.Errorf("the report does not have the digest %s", digest)
	}

	// A second run sends nothing, and one from another folder gives the same digest.
	s.misbehave(nil)
	if out := w.publish(0); !strings.Contains(out, "published: 1 there") || s.count("PUT", "")+s.count("POST", "") != 0 {
		t.Errorf("a second run:\n%s%q", out, s.requests)
	}
	other := newRegistry(t)
	newWorkspace(t, "oci://"+other.host+"/owner/btf:a").publish(0)
	if _, _, again, err := pull(t, other.host, "a"); err != nil || again != digest {
		t.Errorf("the digest elsewhere is %s (%v), want %s", again, err, digest)
	}

	// Another artifact of the same files shares the blobs.
	s.misbehave(nil)
	newWorkspace(t, "oci://"+s.host+"/owner/btf:b").publish(0)
	if n := s.count("PUT", "/blobs/"); n != 0 {
		t.Errorf("%d blobs were sent again", n)
	}
}

// What is published does not change, unless the manifest says so.
func TestRegistryChanged(t *testing.T) {
	s := newRegistry(t)
	w := newWorkspace(t, "oci://"+s.host+"/owner/btf:a")
	w.publish(0)
	_, _, before, _ := pull(t, s.host, "a")
	text := string(w.read("m.yaml"))
	w.write("m.yaml", text+"  features: [encode_force]\n")
	out := w.publish(1)
	if !strings.Contains(out, "has other contents") || !strings.Contains(out, "a.btf: sha256") {
		t.Errorf("the error does not say what changed:\n%s", out)
	}
	if !strings.Contains(string(w.read("r.json")), `"failure": "changed"`) {
		t.Errorf("the kind of failure is not changed")
	}
	if _, _, now, _ := pull(t, s.host, "a"); now != before {
		t.Errorf("it was replaced")
	}
	w.write("m.yaml", strings.Replace(text, "publish: oci", "publish:\n    replace: true\n    to: oci", 1)+"  features: [encode_force]\n")
	if out := w.publish(0); !strings.Contains(out, "published: 1 replaced") {
		t.Errorf("replace: true:\n%s", out)
	}
	if files, _, now, err := pull(t, s.host, "a"); err != nil || now == before || string(files["a.btf"]) != string(w.read("out/a.btf")) {
		t.Errorf("it was not replaced: %v", err)
	}
}
