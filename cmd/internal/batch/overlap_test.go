package batch

import (
	"context"
	"fmt"
	"math/rand/v2"
	nethttp "net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/corpus/source"
	"github.com/btfbatch/btfbatch/corpus/source/http"
	"github.com/btfbatch/btfbatch/corpus/synth"
)

// TestOverlap: with one worker, a package is fetched while the kernel of the package before it is encoded: the server holds what is in the package back
// until that encoding has begun, and the encoding does not go on before the server was asked for it. Packages are pinned to their digests, which takes
// all of them, or not, and stored in independent blocks, which are fetched on their own.
func TestOverlap(t *testing.T) {
	elf, err := os.ReadFile(sample(t))
	if err != nil {
		t.Fatal(err)
	}
	noise := make([]byte, 1<<20)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	const at = "usr/lib/debug/boot/vmlinux-1"
	files := []synth.Entry{{Name: "usr/lib/debug/boot/System.map", Body: noise}, {Name: at, Body: elf}}
	pkg := synth.DebOf(synth.Sums(files...), "data.tar.xz", synth.XZ(synth.Tar(files...), 64<<10))
	for _, pin := range []string{"", ", sha256: " + sumOf(pkg)} {
		asked, encoding := map[string]chan struct{}{}, map[string]chan struct{}{}
		var once sync.Map
		for _, name := range []string{"a", "b", "c"} {
			asked[name], encoding[name] = make(chan struct{}), make(chan struct{})
		}
		server := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
			name := strings.TrimPrefix(r.URL.Path, "/")
			if r.Header.Get("Range") != "bytes=0-65535" { // that is for the list of files
				if _, again := once.LoadOrStore(name, true); !again {
					close(asked[name])
				}
				if name != "a" {
					patient(t, name+" is fetched, and the image before it is not encoded", encoding[string(rune(name[0]-1))])
				}
			}
			w.Header().Set("ETag", `"1"`)
			nethttp.ServeContent(w, r, "", time.Unix(1_700_000_000, 0), strings.NewReader(string(pkg)))
		}))
		dir := t.TempDir()
		text := "version: 1\nimages:\n"
		for _, name := range []string{"a", "b", "c"} {
			text += fmt.Sprintf("  - {name: %s, kind: any, from: {deb: '%s/%s'%s}, outputs: {btf: %s/%s.btf}}\n", name, server.URL, name, pin, dir, name)
		}
		m, err := config.Parse("m.yaml", []byte(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		items := corpus.Resolve(context.Background(), m, corpus.Sources{Finders: source.Finders{URL: &http.Client{Dir: filepath.Join(dir, "downloads")}},
			Limits: source.Limits{Most: 1 << 30, Scratch: 1 << 30}})
		result := Run(context.Background(), Jobs(items, ""), Options{Encoding: Encoding{Workers: 1}, Events: Events{Step: func(name string, s Step) {
			if s != StepEncoding {
				return
			}
			close(encoding[name])
			if next, ok := asked[string(rune(name[0]+1))]; ok {
				patient(t, name+" is encoded, and the server was not asked for the package after it", next)
			}
		}}})
		if result.Totals().OK != 3 {
			t.Errorf("pin %q: got %+v", pin, result.Rows())
		}
		server.Close()
	}
}
