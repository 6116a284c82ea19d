package s3

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The examples of Amazon's documentation of Signature Version 4, "Authenticating Requests: Using the Authorization Header".
func TestSign(t *testing.T) {
	s := &signer{
		settings: &settings{region: "us-east-1", key: "AKIAIOSFODNN7EXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}, //nolint:gosec // the example of the documentation
		now:      func() time.Time { return time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC) },
	}
	for query, want := range map[string]string{
		"lifecycle=":          "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
		"max-keys=2&prefix=J": "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
	} {
		r, err := http.NewRequest(http.MethodGet, "https://examplebucket.s3.amazonaws.com/?"+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.sign(r); err != nil {
			t.Fatal(err)
		}
		want = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=" + want
		if got := r.Header.Get("Authorization"); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
}

func TestEscaped(t *testing.T) {
	if got, want := escaped("a/b c+d~ü=&.btf"), "a/b%20c%2Bd~%C3%BC%3D%26.btf"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSettings(t *testing.T) {
	home := t.TempDir()
	if err := os.Mkdir(filepath.Join(home, ".aws"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"credentials": "[default]\naws_access_key_id = D\naws_secret_access_key = SECRET\n# aws_session_token = no\n[other]\naws_access_key_id = O\n" +
			"aws_secret_access_key = SECRET\naws_session_token = T\n",
		"config": "[default]\nregion = eu-west-1\n[profile other]\nregion=eu-north-1\nendpoint_url = https://minio.example/s3/\n",
	} {
		if err := os.WriteFile(filepath.Join(home, ".aws", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range []struct {
		name, env           string // variables with commas between them
		bucket, region, key string
		err                 string
	}{
		{"nothing", "", "https://kernels.s3.us-east-1.amazonaws.com/", "us-east-1", "", ""},
		{"files", "HOME=" + home, "https://kernels.s3.eu-west-1.amazonaws.com/", "eu-west-1", "D", ""},
		{"a profile", "HOME=" + home + ",AWS_PROFILE=other", "https://minio.example/s3/kernels/", "eu-north-1", "O", ""},
		{"a profile and variables", "HOME=" + home + ",AWS_PROFILE=other,AWS_REGION=cn-north-1,AWS_ENDPOINT_URL=http://127.0.0.1:9000," +
			"AWS_ACCESS_KEY_ID=E,AWS_SECRET_ACCESS_KEY=SECRET", "http://127.0.0.1:9000/kernels/", "cn-north-1", "E", ""},
		{"China", "AWS_REGION=cn-north-1", "https://kernels.s3.cn-north-1.amazonaws.com.cn/", "cn-north-1", "", ""},
		{"one of two", "AWS_ENDPOINT_URL=http://a,AWS_ENDPOINT_URL_S3=http://b", "http://b/kernels/", "us-east-1", "", ""},
		{"half", "AWS_ACCESS_KEY_ID=E", "", "", "", "only one of"},
		{"half the other way", "AWS_SECRET_ACCESS_KEY=hidden", "", "", "", "only one of"},
		{"unknown profile", "HOME=" + home + ",AWS_PROFILE=none", "", "", "", `profile "none"`},
		{"a region with a host", "AWS_REGION=evil.example/", "", "", "", "AWS_REGION is not a name"},
		{"no URL", "AWS_ENDPOINT_URL=minio:9000", "", "", "", "not an http or https URL"},
		{"a password", "AWS_ENDPOINT_URL=http://me:hidden@minio", "", "", "", "more than a scheme"},
	} {
		env := map[string]string{}
		for pair := range strings.SplitSeq(row.env, ",") {
			name, value, _ := strings.Cut(pair, "=")
			env[name] = value
		}
		s, err := settingsOf(func(name string) (string, bool) { v, ok := env[name]; return v, ok })
		at := ""
		if err == nil {
			at, err = s.bucketURL("kernels")
		}
		switch {
		case row.err != "" && (err == nil || !strings.Contains(err.Error(), row.err)):
			t.Errorf("%s: got %v, want %q", row.name, err, row.err)
		case err != nil && (row.err == "" || strings.Contains(err.Error(), "hidden")):
			t.Errorf("%s: %v", row.name, err)
		case err == nil && (at != row.bucket || s.region != row.region || s.key != row.key || (s.token != "") != (row.key == "O")):
			t.Errorf("%s: got %s, %+v", row.name, at, s)
		}
	}
}
