package source_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/source"
	"github.com/btfbatch/btfbatch/encoder/input"
)

// A finder returns an origin that only has a name, and records what it was asked for.
type finder struct {
	source.Origin
	asked []source.Ref
}

func (f *finder) Find(_ context.Context, ref source.Ref) (source.Origin, error) {
	f.asked = append(f.asked, ref)
	return f, nil
}

// TestFinders: each kind goes to its finder, and a local file to none.
func TestFinders(t *testing.T) {
	ctx := context.Background()
	url, apt, debuginfod := &finder{}, &finder{}, &finder{}
	all := source.Finders{URL: url, Apt: apt, Debuginfod: debuginfod}
	for _, test := range []struct {
		ref  source.Ref
		want *finder
		text string
	}{
		{source.Ref{Kind: source.KindDeb, Where: "https://example.org/a.deb"}, url, "deb=https://example.org/a.deb"},
		{source.Ref{Kind: source.KindRPM, Where: "http://example.org/a.rpm"}, url, "rpm=http://example.org/a.rpm"},
		{source.Ref{Kind: source.KindURL, Where: "https://example.org/vmlinux"}, url, "url=https://example.org/vmlinux"},
		{source.Ref{Kind: source.KindApt, Apt: source.AptRef{Suite: "trixie", Arch: "amd64", Package: "p"}}, apt, "apt=trixie/amd64/p"},
		{source.Ref{Kind: source.KindDebuginfod, Where: "0123"}, debuginfod, "debuginfod=0123"},
	} {
		n := len(test.want.asked)
		if _, err := all.Find(ctx, test.ref); err != nil || len(test.want.asked) != n+1 || test.want.asked[n] != test.ref {
			t.Errorf("%s: %v, the finder got %v", test.ref, err, test.want.asked)
		}
		if test.ref.String() != test.text {
			t.Errorf("got %s, want %s", test.ref, test.text)
		}
		if _, err := (source.Finders{}).Find(ctx, test.ref); !errors.Is(err, source.ErrOffline) {
			t.Errorf("%s without finders: got %v", test.ref, err)
		}
	}
	if _, err := all.Find(ctx, source.Ref{Kind: "ftp"}); err == nil {
		t.Error("an unknown kind is no error")
	}
}

func TestLocalOrigin(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.deb")
	if err := os.WriteFile(path, []byte("a package"), 0o600); err != nil {
		t.Fatal(err)
	}
	o, err := source.Finders{}.Find(context.Background(), source.Ref{Kind: source.KindDeb, Where: path})
	if err != nil {
		t.Fatal(err)
	}
	if f := o.Facts(); f.Path != path || f.Size != 9 || f.Network || o.String() != path {
		t.Errorf("got %+v of %s", f, o)
	}
	b, err := o.Open(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(io.NewSectionReader(b.At, 0, b.Size))
	if string(got) != "a package" || err != nil || b.Info == nil || b.Changed() != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if err := os.WriteFile(path, []byte("another package"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := b.Changed(); !errors.Is(err, input.ErrChanged) {
		t.Errorf("after a change: got %v", err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}
