package xz_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	ulikunitz "github.com/ulikunitz/xz"

	"github.com/btfbatch/btfbatch/corpus/source/xz"
)

// A counter counts the bytes that are read.
type counter struct {
	r io.ReaderAt
	n int
}

func (c *counter) ReadAt(b []byte, off int64) (int, error) {
	c.n += len(b)
	return c.r.ReadAt(b, off)
}

// chunks returns data in one block that is decoded on its own, with many chunks.
func chunks(t *testing.T, data []byte) []byte {
	t.Helper()
	return library(t, data, ulikunitz.WriterConfig{BlockSize: int64(len(data))})
}

// TestPrefix: a block is read and decoded as far as it is needed, by a reader and by a view, and the rest of it when that is needed.
func TestPrefix(t *testing.T) {
	data := noise(3_500_000)
	stream := chunks(t, data)
	if len(stream) < 1_000_000 {
		t.Fatalf("the block has %d bytes, too few for the test", len(stream))
	}
	in := &counter{r: bytes.NewReader(stream)}
	blocks, err := xz.Find(in, 0, int64(len(stream)))
	if err != nil || blocks.Len() != 1 {
		t.Fatalf("got %v, %d blocks", err, blocks.Len())
	}
	d := xz.NewDecoder(blocks)
	r := d.NewReader(context.Background())
	f, err := os.Create(filepath.Join(t.TempDir(), "view"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	v, err := d.NewView(context.Background(), 1000, 3_000_000, f)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		what              string
		off, n            int
		view              bool
		decoded, bytesMax int
	}{
		{"reader", 100, 200, false, 500_000, 400_000},
		{"reader, elsewhere", 300_000, 200, false, 900_000, 500_000},
		{"view: what is wanted", 10_000, 300, true, 1_500_000, 800_000},
		{"view: before its end", 890_000, 300, true, 1_500_000, 800_000},
		{"view: past what is wanted", 2_000_000, 300, true, 2_600_000, 1_200_000},
	} {
		p := make([]byte, step.n)
		at := step.off
		if step.view {
			v.Want(100, 899_900)
			at += 1000
			_, err = v.ReadAt(p, int64(step.off))
		} else if _, err = r.Seek(int64(at), io.SeekStart); err == nil {
			_, err = io.ReadFull(r, p)
		}
		if err != nil || !bytes.Equal(p, data[at:at+step.n]) {
			t.Errorf("%s: got others, %v", step.what, err)
		}
		if n := int(d.DecodedBytes()); n < at+step.n || n > step.decoded {
			t.Errorf("%s: %d bytes decoded, want at most %d", step.what, n, step.decoded)
		}
		if in.n > step.bytesMax {
			t.Errorf("%s: %d bytes read, want at most %d", step.what, in.n, step.bytesMax)
		}
	}
	p := make([]byte, 3_000_000)
	if _, err := v.ReadAt(p, 0); err != nil || !bytes.Equal(p, data[1000:][:len(p)]) {
		t.Errorf("all of the view: got others, %v", err)
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(all, data) {
		t.Errorf("all of the block: got %d bytes, %v", len(all), err)
	}
	if n := d.DecodedBytes(); n != int64(len(data)) || d.Decoded() != 1 || in.n > len(stream)+2000 {
		t.Errorf("%d bytes in %d blocks decoded, %d bytes read; want everything once", n, d.Decoded(), in.n)
	}
	r.Close()
	d.Close()
}

// TestPrefixAgain: a block that was given up before all of it was decoded is decoded as a whole the next time, not in many steps.
func TestPrefixAgain(t *testing.T) {
	data := noise(1_500_000)
	stream := library(t, data, ulikunitz.WriterConfig{BlockSize: 300_000})
	blocks, err := xz.Find(bytes.NewReader(stream), 0, int64(len(stream)))
	if err != nil {
		t.Fatal(err)
	}
	d := xz.NewDecoder(blocks)
	r := d.NewReader(context.Background())
	for range 5 {
		for at := 0; at < len(data); at += 600_000 { // more blocks than are kept, none after another
			_, err := r.Seek(int64(at), io.SeekStart)
			if _, err2 := io.ReadFull(r, make([]byte, 10)); errors.Join(err, err2) != nil {
				t.Fatal(err, err2)
			}
		}
		if d.DecodedBytes() > int64(5*5*300_000) {
			t.Fatalf("%d bytes were decoded", d.DecodedBytes())
		}
	}
	r.Close()
	d.Close()
	before := d.DecodedBytes()
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(r, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	r.Close()
	d.Close()
	if n := d.DecodedBytes() - before; n != 300_000 {
		t.Errorf("%d bytes were decoded of a block that was given up, want all 300000", n)
	}
}

// TestPrefixDamage: a flipped bit in the decoded part of a block is an error although the check of the block is not compared, and so is one in
// a stored chunk.
func TestPrefixDamage(t *testing.T) {
	data := noise(400_000)
	stream := chunks(t, data)
	random := make([]byte, 400_000) // cannot be compressed: stored
	x := uint64(1)
	for i := range random {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		random[i] = byte(x)
	}
	for _, c := range []struct {
		name         string
		data, stream []byte
	}{{"packed", data, stream}, {"stored", random, chunks(t, random)}} {
		head := func(stream []byte) error {
			blocks, err := xz.Find(bytes.NewReader(stream), 0, int64(len(stream)))
			if err != nil {
				return err
			}
			d := xz.NewDecoder(blocks)
			defer d.Close()
			r := d.NewReader(context.Background())
			defer r.Close()
			p := make([]byte, 1000)
			if _, err = io.ReadFull(r, p); err == nil && !bytes.Equal(p, c.data[:1000]) {
				t.Errorf("%s: wrong contents and no error", c.name)
			}
			return err
		}
		if err := head(c.stream); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		for off := range 60_000 {
			if off > 40 && off%997 != 0 {
				continue
			}
			damaged := bytes.Clone(c.stream)
			damaged[off] ^= 1 << (off % 8)
			if err := head(damaged); err == nil {
				t.Errorf("%s: offset %d: got no error", c.name, off)
			}
		}
	}
}

// TestPlan: what is wanted of a view is decoded ahead, once, and is there when it is read.
func TestPlan(t *testing.T) {
	data := noise(800_000)
	stream := library(t, data, ulikunitz.WriterConfig{BlockSize: 100_000})
	blocks, err := xz.Find(bytes.NewReader(stream), 0, int64(len(stream)))
	if err != nil || blocks.Len() != 8 {
		t.Fatalf("got %v, %d blocks", err, blocks.Len())
	}
	d := xz.NewDecoder(blocks)
	defer d.Close()
	f, err := os.Create(filepath.Join(t.TempDir(), "view"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const off = 50
	v, err := d.NewView(context.Background(), off, 750_000, f)
	if err != nil {
		t.Fatal(err)
	}
	v.Want(500_000, 150_000)
	v.Want(10, 299_900)
	time.Sleep(10 * time.Millisecond)
	if n := d.Decoded(); n != 0 {
		t.Errorf("%d blocks were decoded before anything was read", n)
	}
	p := make([]byte, 1)
	for _, step := range []struct{ at, decoded int }{
		{749_999, 100_000},                     // not planned
		{500_000, 300_000}, {640_000, 500_000}, // one after the first planned block, two after the next
		{20, 600_000},
	} {
		if _, err := v.ReadAt(p, int64(step.at)); err != nil || p[0] != data[off+step.at] {
			t.Errorf("%d: got %d, %v", step.at, p[0], err)
		}
		for end := time.Now().Add(20 * time.Second); d.DecodedBytes() < int64(step.decoded) && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(10 * time.Millisecond)
		if n := d.DecodedBytes(); n != int64(step.decoded) {
			t.Errorf("%d: %d bytes were decoded, want %d", step.at, n, step.decoded)
		}
	}
	for _, part := range [][2]int{{10, 299_900}, {500_000, 150_000}} {
		p := make([]byte, part[1])
		if _, err := v.ReadAt(p, int64(part[0])); err != nil || !bytes.Equal(p, data[off+part[0]:][:len(p)]) {
			t.Errorf("%d: got others, %v", part, err)
		}
	}
	if n, size := d.Decoded(), d.DecodedBytes(); n != 6 || size != 600_000 {
		t.Errorf("got %d blocks with %d bytes decoded, want 6 with 600000", n, size)
	}
}

// A gate is a stream of which the part after shut comes late: when open is closed.
type gate struct {
	io.ReaderAt
	shut int64
	open chan struct{}
}

func (g gate) ReadAt(b []byte, off int64) (int, error) {
	if off+int64(len(b)) > g.shut {
		<-g.open
	}
	return g.ReaderAt.ReadAt(b, off)
}

// TestFollow: what has been decoded of a block can be read while the rest of it is decoded.
func TestFollow(t *testing.T) {
	data := noise(3_000_000)
	stream := chunks(t, data)
	in := gate{bytes.NewReader(stream), 1 << 62, make(chan struct{})}
	blocks, err := xz.Find(&in, 0, int64(len(stream)))
	if err != nil || blocks.Len() != 1 {
		t.Fatalf("got %v, %d blocks", err, blocks.Len())
	}
	in.shut = int64(len(stream) * 2 / 3)
	d := xz.NewDecoder(blocks)
	d.Room = xz.NewRoom(8 << 20)
	v, err := d.NewView(context.Background(), 0, int64(len(data)), nil)
	if err != nil {
		t.Fatal(err)
	}
	v.Want(0, 2_900_000)
	first := make(chan error)
	p := make([]byte, 500_000)
	go func() {
		_, err := v.ReadAt(p, 100_000)
		first <- err
	}()
	select {
	case err := <-first:
		if err != nil || !bytes.Equal(p, data[100_000:][:len(p)]) {
			t.Errorf("got others, %v", err)
		}
		close(in.open)
	case <-time.After(20 * time.Second):
		t.Error("the first bytes come only with the last ones")
		close(in.open)
		<-first
	}
	p = make([]byte, len(data))
	if n, err := v.ReadAt(p, 0); err != nil || !bytes.Equal(p, data) {
		t.Errorf("all of the block: got %d bytes, %v", n, err)
	}
	if n := d.Decoded(); n != 1 {
		t.Errorf("the block was decoded %d times", n)
	}
	v.Close()
	d.Close()
}
