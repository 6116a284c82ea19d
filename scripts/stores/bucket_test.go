package stores

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// keys are credentials that must never be shown.
const (
	accessKey = "AKIDEXAMPLEKEY"
	secretKey = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLESECRET"
)

// objects returns the objects of a bucket by their names, as a client of MinIO reads them.
func objects(t *testing.T, s *server) map[string][]byte {
	t.Helper()
	c, err := minio.New(s.host, &minio.Options{Creds: credentials.NewStaticV4(accessKey, secretKey, "")})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	found := map[string][]byte{}
	for o := range c.ListObjects(ctx, "kernels", minio.ListObjectsOptions{Recursive: true}) {
		if o.Err != nil {
			t.Fatal(o.Err)
		}
		r, err := c.GetObject(ctx, "kernels", o.Key, minio.GetObjectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if found[o.Key], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	return found
}

func bucketWorkspace(t *testing.T, s *server) *workspace {
	t.Helper()
	return newWorkspace(t, "s3://kernels/debian/${{ image.name }}", "AWS_ENDPOINT_URL="+s.url, "AWS_ACCESS_KEY_ID="+accessKey, "AWS_SECRET_ACCESS_KEY="+secretKey)
}

func TestBucket(t *testing.T) {
	s := newBucket(t, "kernels")
	w := bucketWorkspace(t, s)
	if out := w.publish(0); !strings.Contains(out, "published: 1 new") {
		t.Errorf("the report does not say what was published:\n%s", out)
	}
	found := objects(t, s)
	for _, name := range []string{"a.btf", "a.txt.zst", "a.btf.evidence.json"} {
		if string(found["debian/a/"+name]) != string(w.read("out/"+name)) || len(found["debian/a/"+name]) == 0 {
			t.Errorf("%s differs from the output", name)
		}
	}
	want := ""
	for _, name := range []string{"a.btf", "a.btf.evidence.json", "a.txt.zst"} {
		want += sum(w.read("out/"+name)) + "  " + name + "\n"
	}
	if got := string(found["debian/a/a.btf.sha256sums"]); got != want || len(found) != 4 {
		t.Errorf("%d objects, sums %q, want %q", len(found), got, want)
	}
	s.misbehave(nil)
	if out := w.publish(0); !strings.Contains(out, "published: 1 there") || s.count("PUT", "") != 0 {
		t.Errorf("a second run:\n%s%q", out, s.requests)
	}
}

// What is published does not change, unless the manifest says so.
func TestBucketChanged(t *testing.T) {
	s := newBucket(t, "kernels")
	w := bucketWorkspace(t, s)
	w.publish(0)
	before := objects(t, s)
	text := string(w.read("m.yaml"))
	w.write("m.yaml", text+"  features: [encode_force]\n")
	if out := w.publish(1); !strings.Contains(out, "has other contents") || !strings.Contains(out, "a.btf: sha256") {
		t.Errorf("the error does not say what changed:\n%s", out)
	}
	for name, data := range objects(t, s) {
		if string(before[name]) != string(data) {
			t.Errorf("%s was replaced", name)
		}
	}
	w.write("m.yaml", strings.Replace(text, "publish: s3", "publish:\n    replace: true\n    to: s3", 1)+"  features: [encode_force]\n")
	if out := w.publish(0); !strings.Contains(out, "published: 1 replaced") {
		t.Errorf("replace: true:\n%s", out)
	}
	if now := objects(t, s); string(now["debian/a/a.btf"]) != string(w.read("out/a.btf")) || len(now) != 4 {
		t.Error("it was not replaced")
	}
}
