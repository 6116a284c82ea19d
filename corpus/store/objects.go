package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Objects is a place with whole objects under names: a bucket, or a folder.
type Objects interface {
	// At returns the address of an object.
	At(name string) string
	// Put writes an object, whole or not at all. If there is one of its name, replace says whether to replace it; otherwise the error is ErrExists.
	Put(ctx context.Context, f *File, replace bool) error
	// Read calls use with the contents of an object. The error is ErrAbsent if there is none.
	Read(ctx context.Context, name string, use func(io.Reader) error) error
	// Sum returns the SHA-256 of an object as the store states it, or as its contents have it. The error is ErrAbsent if there is none.
	Sum(ctx context.Context, name string) (string, error)
	// Remove removes an object. It is no error if there is none.
	Remove(ctx context.Context, name string) error
}

// sumsEnd is what the file of sums adds to the name of the first file of its artifact.
const sumsEnd = ".sha256sums"

// maxSums is the maximum size of a file of sums, in bytes.
const maxSums = 1 << 20

// SumsName returns the name of the file that names the files of an artifact.
func (a *Artifact) SumsName() string { return a.Files[0].Name + sumsEnd }

// Sums returns the file of sums, as sha256sum prints it, in the order of the names.
func (a *Artifact) Sums() []byte {
	lines := make([]string, len(a.Files))
	for i := range a.Files {
		lines[i] = a.Files[i].SHA256 + "  " + a.Files[i].Name
	}
	SortByName(lines)
	return []byte(strings.Join(lines, "\n") + "\n")
}

// InObjects publishes in a place with objects. The file of sums is written last: without it, the artifact is not published. If another
// artifact is replaced, its file of sums is removed first, so at no time does it name files that are not those of its artifact.
type InObjects struct{ Objects }

// Publish implements Publisher.
func (o InObjects) Publish(ctx context.Context, a *Artifact, replace bool) (Receipt, error) {
	sums := a.Sums()
	index := Bytes(a.SumsName(), "sums", sums)
	receipt := Receipt{At: o.At(index.Name), SHA256: index.SHA256, State: New}
	have, err := o.published(ctx, index.Name)
	switch {
	case errors.Is(err, ErrAbsent):
	case err != nil:
		return receipt, err
	case slices.Equal(lastingOf(a, have), a.lasting()):
		receipt.State, receipt.SHA256 = There, Bytes("", "", have).SHA256
		return receipt, o.complete(ctx, a)
	case !replace:
		return receipt, &ChangedError{At: receipt.At, Have: lastingOf(a, have), Want: a.lasting()}
	default:
		receipt.State = Replaced
		if err := o.Remove(ctx, index.Name); err != nil {
			return receipt, err
		}
	}
	for i := range a.Files {
		f := &a.Files[i]
		if err := o.put(ctx, f, replace || f.Kind == KindEvidence); err != nil {
			return receipt, err
		}
	}
	if err := o.put(ctx, &index, false); err != nil {
		return receipt, err
	}
	return receipt, nil
}

// published returns the file of sums that is there.
func (o InObjects) published(ctx context.Context, name string) (text []byte, err error) {
	err = o.Read(ctx, name, func(r io.Reader) (err error) {
		if text, err = io.ReadAll(io.LimitReader(r, maxSums+1)); err == nil && len(text) > maxSums {
			err = errors.New("the file of sums is larger than any that btfbatch writes")
		}
		return err
	})
	return text, err
}

// lastingOf returns the lines of a file of sums that decide whether it is that of an artifact: see Artifact.lasting.
func lastingOf(a *Artifact, sums []byte) (list []string) {
	for line := range strings.Lines(string(sums)) {
		line = strings.TrimSuffix(line, "\n")
		_, name, _ := strings.Cut(line, "  ")
		evidence := slices.ContainsFunc(a.Files, func(f File) bool { return f.Kind == KindEvidence && f.Name == name })
		if !evidence {
			list = append(list, line)
		}
	}
	SortByName(list)
	return list
}

// complete puts what is missing of an artifact that is published, which happens only if somebody removed it.
func (o InObjects) complete(ctx context.Context, a *Artifact) error {
	for i := range a.Files {
		if f := &a.Files[i]; f.Kind != KindEvidence {
			if err := o.put(ctx, f, false); err != nil {
				return err
			}
		}
	}
	return nil
}

// put writes an object unless it is there, and checks what the store has then.
func (o InObjects) put(ctx context.Context, f *File, replace bool) error {
	sum, err := o.Sum(ctx, f.Name)
	switch {
	case err == nil && sum == f.SHA256:
		return nil
	case err == nil && !replace:
		return changed(o.At(f.Name), f, sum)
	case err != nil && !errors.Is(err, ErrAbsent):
		return err
	}
	for range 2 {
		err := o.Put(ctx, f, replace)
		exists := errors.Is(err, ErrExists)
		if err != nil && !exists {
			return err
		}
		if sum, err = ReadSum(ctx, o, f.Name); err != nil {
			return fmt.Errorf("%s was written, and cannot be read: %w", o.At(f.Name), err)
		}
		switch {
		case sum == f.SHA256:
			return nil
		case exists: // another process was faster
			return changed(o.At(f.Name), f, sum)
		}
		replace = true // what was damaged on its way is not what another process has published
	}
	return &DigestError{o.At(f.Name), sum, f.SHA256}
}

// ReadSum returns the SHA-256 of an object that it reads. The error is ErrAbsent if there is none.
func ReadSum(ctx context.Context, o Objects, name string) (sum string, err error) {
	err = o.Read(ctx, name, func(r io.Reader) (err error) {
		sum, _, err = SumOf(r)
		return err
	})
	return sum, err
}

func changed(at string, f *File, have string) error {
	return &ChangedError{At: at, Have: []string{have + "  " + f.Name}, Want: []string{f.SHA256 + "  " + f.Name}}
}

// Bytes returns a file in memory.
func Bytes(name, kind string, data []byte) File {
	sum := sha256.Sum256(data)
	return File{Name: name, Kind: kind, Size: int64(len(data)), SHA256: hex.EncodeToString(sum[:]), Open: func() (io.ReadSeekCloser, error) {
		return inMemory{bytes.NewReader(data)}, nil
	}}
}

type inMemory struct{ *bytes.Reader }

func (inMemory) Close() error { return nil }

// SumOf returns the SHA-256 and the number of bytes that a reader returns up to its end.
func SumOf(r io.Reader) (sum string, size int64, err error) {
	h := sha256.New()
	size, err = io.Copy(h, r)
	return hex.EncodeToString(h.Sum(nil)), size, err
}
