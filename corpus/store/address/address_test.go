package address

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	long := strings.Repeat("a", 129)
	for _, row := range []struct {
		text string
		want Address
		err  string // part of it
	}{
		{"oci://ghcr.io/owner/btf:6.1-x86_64", Address{Registry, "ghcr.io", "owner/btf", "6.1-x86_64"}, ""},
		{"oci://localhost:5000/btf", Address{Registry, "localhost:5000", "btf", ""}, ""},
		{"oci://h.example/a.b_c__d---e/f:6.1+deb12", Address{Registry, "h.example", "a.b_c__d---e/f", "6.1_deb12"}, ""},
		{"s3://kernels/debian/x86_64/", Address{Bucket, "kernels", "debian/x86_64", ""}, ""},
		{"s3://kernels", Address{Bucket, "kernels", "", ""}, ""},
		{"file:///srv/btf/", Address{Folder, "", "/srv/btf", ""}, ""},
		{"kernels", Address{}, "not an address"},
		{"ftp://host/x", Address{}, `scheme "ftp"`},
		{"oci://user:SECRET@ghcr.io/owner/btf:1", Address{}, "user name or a password"},
		{"s3://KEY:SECRET@kernels/x", Address{}, "user name or a password"},
		{"oci://ghcr.io/owner/btf@sha256:" + long, Address{}, "digest"},
		{"oci://ghcr.io/owner/btf:", Address{}, "not a tag"},
		{"oci://ghcr.io/owner/btf:.a", Address{}, "not a tag"},
		{"oci://ghcr.io/owner/btf:a~b", Address{}, "not a tag"},
		{"oci://ghcr.io/owner/btf:" + long, Address{}, "not a tag"},
		{"oci://ghcr.io/Owner/btf:1", Address{}, "not a repository"},
		{"oci://ghcr.io/owner//btf:1", Address{}, "not a repository"},
		{"oci://ghcr.io/owner/btf-:1", Address{}, "not a repository"},
		{"oci://ghcr.io/owner/b._tf:1", Address{}, "not a repository"},
		{"oci://ghcr.io", Address{}, "not a repository"},
		{"oci://ghcr.io:0/a:1", Address{}, "port"},
		{"oci://gh_cr.io/a:1", Address{}, "not the name of a registry"},
		{"oci:///a:1", Address{}, "not the name of a registry"},
		{"s3://K/x", Address{}, "not the name of a bucket"},
		{"s3://kernels/a/../b", Address{}, "the prefix"},
		{"s3://kernels/a//b", Address{}, "the prefix"},
		{"s3://kernels/a b", Address{}, "character"},
		{"s3://kernels/a?versionId=1", Address{}, "? or #"},
		{"s3://kernels/" + strings.Repeat("a", 800), Address{}, "bytes"},
		{"file://host/srv", Address{}, "three slashes"},
	} {
		got, err := Parse(row.text)
		switch {
		case row.err == "" && (err != nil || got != row.want):
			t.Errorf("%s: got %+v, %v, want %+v", row.text, got, err, row.want)
		case row.err != "" && (err == nil || !strings.Contains(err.Error(), row.err)):
			t.Errorf("%s: got %+v, %v, want an error with %q", row.text, got, err, row.err)
		case err != nil && strings.Contains(err.Error(), "SECRET"):
			t.Errorf("%s: the error shows the password: %v", row.text, err)
		case err == nil:
			if again, err := Parse(got.String()); err != nil || again != got {
				t.Errorf("%s: written as %s, which is %+v (%v)", row.text, got, again, err)
			}
		}
	}
}
