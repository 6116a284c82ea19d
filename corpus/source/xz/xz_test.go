package xz_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	ulikunitz "github.com/ulikunitz/xz"

	"github.com/btfbatch/btfbatch/corpus/source/xz"
	"github.com/btfbatch/btfbatch/corpus/synth"
)

// noise returns bytes that compress to about half their size: words of a small vocabulary.
func noise(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	var b []byte
	for len(b) < n {
		b = fmt.Appendf(b, "%d:%c%x;", r.IntN(3000), 'a'+rune(r.IntN(26)), r.IntN(500))
		if r.IntN(40) == 0 { // far repetitions
			at := r.IntN(len(b))
			b = append(b, b[at:min(len(b), at+r.IntN(400))]...)
		}
	}
	return b[:n]
}

func library(t *testing.T, data []byte, c ulikunitz.WriterConfig) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := c.NewWriter(&b)
	if err == nil {
		_, err = w.Write(data)
	}
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// streams returns the data as streams of many shapes, and whether their blocks are independent.
func streams(t *testing.T, data []byte) map[string][]byte {
	t.Helper()
	list := map[string][]byte{
		"blocks of 64 KiB": synth.XZ(data, 64<<10),
		"blocks of 5000":   synth.XZ(data, 5000),
		"one block":        synth.XZ(data, len(data)),
		"library":          library(t, data, ulikunitz.WriterConfig{}),
		"library, blocks":  library(t, data, ulikunitz.WriterConfig{BlockSize: 50_000, CheckSum: ulikunitz.SHA256}),
		"library, small":   library(t, data, ulikunitz.WriterConfig{DictCap: 4096, CheckSum: ulikunitz.CRC32}),
	}
	if tool, err := exec.LookPath("xz"); err == nil {
		for _, args := range []string{"-T1", "-T2 --block-size=50000", "-T2 --block-size=60000 -9e --check=sha256", "-1 --check=crc32", "--check=none",
			"-T2 --block-size=70000 --lzma2=lc=1,lp=3,pb=0", "-T1 --lzma2=dict=4KiB", "-T1 --block-size=9000 --lzma2=lc=0,lp=4,pb=4", "-0 -T1"} {
			cmd := exec.Command(tool, append(strings.Fields(args), "-c")...)
			cmd.Stdin = bytes.NewReader(data)
			if list[args], err = cmd.Output(); err != nil {
				t.Fatal(err)
			}
		}
	}
	return list
}

// TestSerial: every stream, and two of them one after another, gives the contents.
func TestSerial(t *testing.T) {
	data := noise(300_000)
	all := streams(t, data)
	for name, stream := range all {
		for _, twice := range []bool{false, true} {
			in, want := stream, data
			if twice {
				in, want = append(append(bytes.Clone(stream), 0, 0, 0, 0), all["blocks of 5000"]...), append(bytes.Clone(data), data...)
			}
			s := xz.NewSerial(context.Background(), bytes.NewReader(in), 0)
			got, err := io.ReadAll(s)
			s.Close()
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s, twice %v: got %d bytes, %v, want %d", name, twice, len(got), err, len(want))
			}
		}
	}
}

// TestLongWindow: the window of a block that is decoded in order moves, and far repetitions stay right.
func TestLongWindow(t *testing.T) {
	data := bytes.Repeat(noise(700_000), 9)
	s := xz.NewSerial(context.Background(), bytes.NewReader(library(t, data, ulikunitz.WriterConfig{DictCap: 1 << 20})), 0)
	got, err := io.ReadAll(s)
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("got %d bytes, %v, want %d", len(got), err, len(data))
	}
}

// TestBlocks: where blocks are independent, any part can be read, by a reader and by a view.
func TestBlocks(t *testing.T) {
	data := noise(300_000)
	n := 0
	for name, stream := range streams(t, data) {
		pad := "package header"
		blocks, err := xz.Find(strings.NewReader(pad+string(stream)+"more"), int64(len(pad)), int64(len(stream)))
		if errors.Is(err, xz.ErrSerial) {
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		n++
		d := xz.NewDecoder(blocks)
		r := d.NewReader(context.Background())
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, data) || d.Decoded() != blocks.Len() {
			t.Errorf("%s: got %d bytes, %v, %d of %d blocks decoded", name, len(got), err, d.Decoded(), blocks.Len())
		}
		for _, off := range []int64{250_000, 10, 299_999, 300_000} {
			if _, err := r.Seek(off, io.SeekStart); err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(r)
			if err != nil || !bytes.Equal(got, data[off:]) {
				t.Errorf("%s from %d: got %d bytes, %v", name, off, len(got), err)
			}
		}
		r.Close()
		d.Close()
		view(t, name, d, data)
	}
	if n < 5 {
		t.Errorf("%d streams have independent blocks", n)
	}
}

// view reads parts of a view concurrently. Each block is decoded once, and again only for a reader that was so late that others had pushed it out.
func view(t *testing.T, name string, d *xz.Decoder, data []byte) {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "view"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const off, size = 3333, 280_000
	v, err := d.NewView(context.Background(), off, size, f)
	if err != nil {
		t.Fatal(err)
	}
	before := d.Decoded()
	v.Want(0, 90_000)
	const readers = 7
	var wg sync.WaitGroup
	for k := range readers {
		wg.Go(func() {
			for at := 100 * k; at < 100_000; at += 7_000 {
				p := make([]byte, 9000)
				if n, err := v.ReadAt(p, int64(at)); n != len(p) || err != nil || !bytes.Equal(p, data[off+at:][:len(p)]) {
					t.Errorf("%s at %d: got %d bytes, %v", name, at, n, err)
				}
			}
		})
	}
	wg.Wait()
	last := d.Blocks.Len()
	for i := range last { // blocks that hold the first 108,600 bytes of the view, and those ahead
		if start, _ := d.Bounds(i); start >= off+100_000+9000 {
			last = i
			break
		}
	}
	if n := d.Decoded() - before; n > last+readers {
		t.Errorf("%s: %d blocks were decoded for the first %d", name, n, last)
	}
	p := make([]byte, 100)
	if n, err := v.ReadAt(p, size-40); n != 40 || !errors.Is(err, io.EOF) || !bytes.Equal(p[:40], data[off+size-40:][:40]) {
		t.Errorf("%s at the end: got %d bytes, %v", name, n, err)
	}
	if _, err := d.NewView(context.Background(), 1, int64(len(data)), f); err == nil {
		t.Errorf("%s: a view past the end is no error", name)
	}
	d.Close()
}

// TestDamage: a stream that is cut gives an error, and so does any flipped bit, however the stream is read.
func TestDamage(t *testing.T) {
	data := noise(3000)
	for name, stream := range map[string][]byte{"blocks": synth.XZ(data, 1400), "library": library(t, data, ulikunitz.WriterConfig{})} {
		try := func(in []byte) error {
			s := xz.NewSerial(context.Background(), bytes.NewReader(in), 0)
			defer s.Close()
			_, serial := io.ReadAll(s)
			blocks, err := xz.Find(bytes.NewReader(in), 0, int64(len(in)))
			if errors.Is(err, xz.ErrSerial) {
				return serial
			}
			if err == nil {
				d := xz.NewDecoder(blocks)
				r := d.NewReader(context.Background())
				_, err = io.ReadAll(r)
				r.Close()
				d.Close()
			}
			if (err == nil) != (serial == nil) {
				t.Errorf("%s: %v by blocks, %v in order", name, err, serial)
			}
			return err
		}
		for n := range stream {
			if _, ok := errors.AsType[*xz.FormatError](try(stream[:n])); !ok {
				t.Fatalf("%s: cut at %d: got no FormatError", name, n)
			}
		}
		for off := range stream {
			damaged := bytes.Clone(stream)
			damaged[off] ^= 1 << (off % 8)
			if try(damaged) == nil {
				t.Errorf("%s: offset %d: got no error", name, off)
			}
		}
	}
}

// TestWholeCheck: the check of a block is compared whenever the block was decoded to its end, also if that was for the sake of what comes first in it.
func TestWholeCheck(t *testing.T) {
	data := bytes.Repeat([]byte("all of it is one chunk "), 7_000) // more than a reader asks for at first
	stream := synth.XZ(data, len(data))
	for _, n := range []int{100, len(data)} {
		read := func(stream []byte) error {
			blocks, err := xz.Find(bytes.NewReader(stream), 0, int64(len(stream)))
			if err != nil {
				return err
			}
			d := xz.NewDecoder(blocks)
			defer d.Close()
			r := d.NewReader(context.Background())
			defer r.Close()
			_, err = io.ReadFull(r, make([]byte, n))
			return err
		}
		if err := read(stream); err != nil {
			t.Errorf("%d bytes: %v", n, err)
		}
		for at := len(stream) - 50; at < len(stream); at++ { // the last of its data, the check, the index and the footer
			damaged := bytes.Clone(stream)
			damaged[at] ^= 1
			if _, ok := errors.AsType[*xz.FormatError](read(damaged)); !ok {
				t.Errorf("%d bytes: offset %d of %d: got no error", n, at, len(stream))
			}
		}
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	stream := synth.XZ(noise(1000), 600)
	blocks, err := xz.Find(bytes.NewReader(stream), 0, int64(len(stream)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := xz.NewDecoder(blocks).NewReader(ctx).Read(make([]byte, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("by blocks: got %v", err)
	}
	if _, err := xz.NewSerial(ctx, bytes.NewReader(stream), 0).Read(make([]byte, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("in order: got %v", err)
	}
}
