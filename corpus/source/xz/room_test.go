package xz

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"testing"

	ulikunitz "github.com/ulikunitz/xz"
)

// A noFile is a File that must not be used.
type noFile struct{ t *testing.T }

func (f noFile) ReadAt([]byte, int64) (int, error) {
	f.t.Error("the file is read")
	return 0, io.EOF
}

func (f noFile) WriteAt([]byte, int64) (int, error) {
	f.t.Error("the file is written")
	return 0, io.ErrShortWrite
}

// A memFile is a File in memory.
type memFile []byte

func (f memFile) ReadAt(b []byte, off int64) (int, error)  { return copy(b, f[off:]), nil }
func (f memFile) WriteAt(b []byte, off int64) (int, error) { return copy(f[off:], b), nil }

const testBlock = 200_000

// testView returns a view of data, in ten blocks, that has room for so many bytes, and its decoder.
func testView(t *testing.T, room int64, file File) (*View, *Decoder, []byte) {
	t.Helper()
	data := make([]byte, 10*testBlock)
	for i, r := 0, rand.New(rand.NewPCG(1, 2)); i < len(data); i++ {
		data[i] = byte(r.Uint32()) & 7
	}
	var stream bytes.Buffer
	w, err := ulikunitz.WriterConfig{BlockSize: testBlock}.NewWriter(&stream)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	blocks, err := Find(bytes.NewReader(stream.Bytes()), 0, int64(stream.Len()))
	if err != nil || blocks.Len() != 10 {
		t.Fatalf("got %v, %d blocks", err, blocks.Len())
	}
	d := NewDecoder(blocks)
	d.Room, d.ahead = NewRoom(room), 2
	v, err := d.NewView(context.Background(), 1000, int64(len(data))-1000, file)
	if err != nil {
		t.Fatal(err)
	}
	v.late = testBlock / 3
	return v, d, data[1000:]
}

// readAll reads a part of a view in steps, and compares it.
func readAll(t *testing.T, v *View, data []byte, from, to int) {
	t.Helper()
	for at := from; at < to; at += 7000 {
		p := make([]byte, min(9000, len(data)-at))
		if n, err := v.ReadAt(p, int64(at)); err != nil || n < len(p) || !bytes.Equal(p, data[at:at+n]) {
			t.Fatalf("at %d: got %d bytes, %v", at, n, err)
		}
	}
}

// settled waits until nothing is decoded.
func settled(d *Decoder) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, j := range d.jobs {
		for j.running {
			d.changed.Wait()
		}
	}
}

// TestRoom: blocks are kept in memory as far as there is room, and in the file beyond that. All memory is given back.
func TestRoom(t *testing.T) {
	for name, row := range map[string]struct {
		room int64
		file File
	}{
		"enough": {10 * testBlock, noFile{t}},
		"some":   {4*testBlock + 5, make(memFile, 10*testBlock)},
		"none":   {0, make(memFile, 10*testBlock)},
	} {
		t.Run(name, func(t *testing.T) {
			v, d, data := testView(t, row.room, row.file)
			v.Want(0, int64(len(data)))
			readAll(t, v, data, 0, len(data))
			readAll(t, v, data, 0, len(data)) // what was decoded is stored
			if n := d.Decoded(); n != 10 {
				t.Errorf("%d blocks were decoded, want each of 10 once", n)
			}
			settled(d)
			if left := d.Room.left.Load(); left < 0 || left >= row.room && row.room > 0 || row.room-left > row.room {
				t.Errorf("%d of %d bytes of the room are left", left, row.room)
			}
			if v.Close() != nil || d.Room.left.Load() != row.room {
				t.Errorf("after Close, %d of %d bytes of the room are left", d.Room.left.Load(), row.room)
			}
			if _, err := v.ReadAt(make([]byte, 1), 0); !errors.Is(err, fs.ErrClosed) {
				t.Errorf("after Close, reading gives %v", err)
			}
			d.Close()
		})
	}
}

// TestWantOnce: what is wanted once is given up when it was read, other parts stay, and what is read again is decoded again, once.
func TestWantOnce(t *testing.T) {
	v, d, data := testView(t, 10*testBlock, noFile{t})
	const from, to = testBlock + 500, 8*testBlock + 500 // in view: blocks 1 to 8
	v.Want(to, int64(len(data))-to)
	v.WantOnce(from, to-from)
	readAll(t, v, data, to, len(data))
	readAll(t, v, data, from, to-9000)
	settled(d)
	if used := 10*testBlock - d.Room.left.Load(); used > 5*testBlock { // 7, 8 and 9; and 1, which may be in use when it is passed
		t.Errorf("%d bytes are kept, more than five blocks", used)
	}
	before := d.Decoded()
	for range 2 {
		readAll(t, v, data, 2*testBlock, 4*testBlock)
		readAll(t, v, data, 0, from)
	}
	if n := d.Decoded() - before; n > 6 {
		t.Errorf("%d blocks were decoded again", n)
	}
	if v.Close() != nil || d.Room.left.Load() != 10*testBlock {
		t.Errorf("after Close, %d bytes of the room are left", d.Room.left.Load())
	}
	d.Close()
}

// TestOnward: a Reader that goes from block to block after a view was read uses the same memory for all of them.
func TestOnward(t *testing.T) {
	v, d, data := testView(t, 10*testBlock, noFile{t})
	v.Want(0, 100)
	readAll(t, v, data, 0, 100)
	settled(d)
	r := d.NewReader(context.Background())
	seen := map[*byte]bool{}
	for {
		n, err := r.Read(make([]byte, 9000))
		if n == 0 {
			if !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
			break
		}
		seen[&r.job.out[0]] = true
	}
	if most := d.ahead + 2; len(seen) > most {
		t.Errorf("10 blocks were decoded in %d places, want at most %d", len(seen), most)
	}
	r.Close()
	if v.Close() != nil {
		t.Error("the view was not closed")
	}
	d.Close()
}

// TestOnwardViews: views of files that are read one after another use the same memory.
func TestOnwardViews(t *testing.T) {
	v, d, data := testView(t, 10*testBlock, noFile{t})
	v.Want(0, 100)
	readAll(t, v, data, 0, 100)
	r := d.NewReader(context.Background())
	if _, err := io.ReadFull(r, make([]byte, 3*testBlock)); err != nil {
		t.Fatal(err)
	}
	r.Close()
	settled(d)
	seen := map[*byte]bool{}
	for i := 4; i < 9; i++ {
		one, err := d.NewView(context.Background(), int64(i*testBlock), testBlock, noFile{t})
		if err != nil {
			t.Fatal(err)
		}
		one.Want(0, testBlock)
		readAll(t, one, data[i*testBlock-1000:], 0, testBlock-9000)
		settled(d)
		seen[&one.blocks[0].mem[0]] = true
		if one.Close() != nil {
			t.Error("the view was not closed")
		}
	}
	if len(seen) > d.ahead+2 {
		t.Errorf("5 blocks were kept in %d places, want at most %d", len(seen), d.ahead+2)
	}
	if v.Close() != nil {
		t.Error("the view was not closed")
	}
	if d.Close(); d.spare != nil || d.free != nil {
		t.Error("after Close, there is still memory")
	}
}

// far is a stream that comes from far away.
type far struct{ *bytes.Reader }

func (far) Fetch(context.Context, int64, int64) error { return nil }

// TestAhead: a block that will be read is decoded once, unless it comes from far away.
func TestAhead(t *testing.T) {
	v, d, data := testView(t, 10*testBlock, noFile{t})
	d.Ahead(3)
	settled(d)
	if j := d.jobs[3]; j == nil || j.have < testBlock {
		t.Error("the block was not decoded")
	}
	v.Want(3*testBlock, 5000)
	readAll(t, v, data, 3*testBlock, 3*testBlock+5000)
	if n := d.Decoded(); n != 1 {
		t.Errorf("%d blocks were decoded, want 1", n)
	}
	if v.Close() != nil {
		t.Error("the view was not closed")
	}
	d.Close()
	d.r = far{d.r.(*bytes.Reader)}
	if d.Ahead(4); d.jobs[4] != nil {
		t.Error("a block was fetched that nobody has read")
	}
}
