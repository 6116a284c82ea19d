package debuginfod

import (
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/binary"
	"encoding/hex"
	nethttp "net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/corpus/synth"
)

// inside says that the test runs in a network namespace of its own, and names the folder with the image.
const inside = "BTFBATCH_DEBUGINFOD_FOLDER"

// TestRealServer runs the debuginfod of the distribution. That program listens on all addresses, so it runs in a network namespace without any
// but the loopback device, and so does the part of the test that talks to it.
func TestRealServer(t *testing.T) {
	if dir := os.Getenv(inside); dir != "" {
		talk(t, dir)
		return
	}
	peer.Installed(t, "debuginfod", "unshare", "ip")
	dir := t.TempDir()
	path := filepath.Join(dir, "vmlinux")
	if err := os.WriteFile(path, image(t), 0o755); err != nil {
		t.Fatal(err)
	}
	namespace := []string{"--net", "--kill-child", "sh", "-c", `ip link set lo up && exec "$@"`, "sh", os.Args[0], "-test.run=^TestRealServer$", "-test.v"}
	if os.Getuid() != 0 {
		namespace = append([]string{"--map-root-user"}, namespace...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "unshare", namespace...)
	cmd.Env = append(os.Environ(), inside+"="+dir)
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil || !strings.Contains(string(out), "PASS: TestRealServer") {
		t.Errorf("in the namespace: %v", err)
	}
}

// image returns an image with a build id and DWARF.
func image(t *testing.T) []byte {
	t.Helper()
	desc, err := hex.DecodeString(id)
	if err != nil {
		t.Fatal(err)
	}
	b := synth.New(synth.Target{Class: elf.ELFCLASS64, Order: binary.LittleEndian, Type: elf.ET_EXEC, DWARF: 5})
	b.Note(".note.gnu.build-id", "GNU", 3, desc)
	b.CU("a.c", synth.C11).Base("int", 4, synth.Signed)
	b.Data(".data", 0x1000, 300_000) // several parts
	return b.Bytes()
}

// talk starts the server, and fetches the image from it.
func talk(t *testing.T, dir string) {
	const port = "8002"
	server := exec.Command("debuginfod", "-F", "-d", ":memory:", "-p", port, "-t", "1", dir)
	var log strings.Builder
	server.Stdout, server.Stderr = &log, &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.Process.Kill()
		server.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	url := "http://127.0.0.1:" + port
	want, err := os.ReadFile(filepath.Join(dir, "vmlinux"))
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(100 * time.Millisecond) { // until it has scanned the folder
		resp, err := nethttp.Get(url + "/buildid/" + id + "/debuginfo")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == nethttp.StatusOK {
				break
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("the server does not have the image: %v", err)
		}
	}

	f := &Finder{Client: client(t), Servers: []string{"http://127.0.0.1:1", url}}
	o, err := f.Find(context.Background(), ref(id))
	if err != nil {
		t.Fatal(err)
	}
	b, err := o.Open(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if got := content(t, b); string(got) != string(want) || b.Size != int64(len(want)) {
		t.Errorf("got %d bytes, %d are stated, want %d", len(got), b.Size, len(want))
	}
	b.Close()
	if got, want := o.String(), url+"/buildid/"+id+"/debuginfo"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}

	f.Servers = []string{url}
	pinned := ref(id)
	sum := sha256.Sum256(want)
	pinned.SHA256 = hex.EncodeToString(sum[:])
	if o, err = f.Find(context.Background(), pinned); err != nil {
		t.Fatal(err)
	}
	if b, err = o.Open(context.Background()); err != nil {
		t.Fatal(err)
	}
	if b.SHA256 != pinned.SHA256 || b.At == nil {
		t.Errorf("got %+v", b)
	}
	b.Close()

	if o, err = f.Find(context.Background(), ref(none)); err != nil {
		t.Fatal(err)
	}
	if _, err = o.Open(context.Background()); err == nil || err.Error() != "no debuginfod server has the build id "+none+" ("+url+")" {
		t.Errorf("got %v", err)
	}
}
