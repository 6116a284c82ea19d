// Package claim keeps runs that write the same files from running at once.
//
// Input: the files that a run may write. Output: a claim of them, or whose claim they are in. Never: the package does not touch the files
// that are claimed, nor their folders.
//
// A claim is a file in a folder that all runs of a user share. It says who made it and, as 8 bytes of a digest for each, which files it
// covers, so that runs that write different files into one folder do not wait for each other. A run locks its claim as long as it lasts. The system
// releases the lock of a process that ends in whatever way, and a claim that is not locked is void: whoever comes next removes it. Claims are
// made, compared and removed by one process at a time. A run claims all of its files or none, and a run that waits holds no claim, so no two runs
// can wait for each other.
package claim

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/btfbatch/btfbatch/cmd/internal/paths"
)

const (
	mutex    = "lock"  // the file that is locked while claims are made, compared and removed
	ending   = ".run"  // of claims
	maxOwner = 1 << 16 // bytes
	often    = 50 * time.Millisecond
)

// An Owner says who has a claim.
type Owner struct {
	Process  int    `json:"process"`
	Host     string `json:"host"`
	Manifest string `json:"manifest"`
}

// String names the owner for a person on this host.
func (o Owner) String() string {
	text := fmt.Sprintf("process %d", o.Process)
	if host, _ := os.Hostname(); host != o.Host {
		text += " on " + o.Host
	}
	return text + " (run of " + o.Manifest + ")"
}

// A HeldError says that another run has a claim to a file.
type HeldError struct {
	Owner Owner
	File  string // the first of the files, as the caller named it
}

func (e *HeldError) Error() string { return fmt.Sprintf("%s: %s writes it", e.File, e.Owner) }

// ErrNone is the error of a folder in which claims cannot be made, because the file system is read-only or has no locks.
var ErrNone = errors.New("runs that write the same files cannot be told apart")

// Take claims files in a folder of claims, which is created. While another run has a claim to one of them, it calls waiting once for each such run,
// and waits. If waiting returns false, the error is a *HeldError. An error that is ErrNone means that nothing is claimed. release ends the claim.
func Take(ctx context.Context, folder, manifest string, files []string, waiting func(e *HeldError) bool) (release func(), err error) {
	if len(files) == 0 {
		return func() {}, nil
	}
	if place, err := filepath.Abs(manifest); err == nil {
		manifest = place
	}
	host, _ := os.Hostname() // without one, the process is named alone
	c := claim{Owner: Owner{os.Getpid(), host, manifest}, names: map[uint64]string{}}
	c.add(files)
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNone, err)
	}
	told := map[string]bool{}
	for {
		release, holder, held, err := c.try(ctx, folder)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			return nil, fmt.Errorf("%w: %w", ErrNone, err)
		case release != nil:
			return release, nil
		}
		if !told[holder] && !waiting(held) {
			return nil, held
		}
		told[holder] = true
		if err := gone(ctx, folder, holder); err != nil {
			return nil, err
		}
	}
}

// A claim is what a run claims.
type claim struct {
	Owner
	names map[uint64]string // by the digests of their places: the files
}

// add adds files. Two spellings of one file, or links to it, have one digest. Upper and lower case are one where file systems often have it so:
// a run that waits without need is better than two runs that write one file.
func (c *claim) add(files []string) {
	folders := map[string]string{}
	for _, name := range files {
		dir, base := filepath.Split(name)
		if dir == "" {
			dir = "."
		}
		place, ok := folders[dir]
		if !ok {
			place, _ = paths.Resolve(dir) // nothing can be written below a folder that cannot be resolved
			folders[dir] = place
		}
		place = filepath.Join(place, base)
		if st, err := os.Lstat(place); err == nil && st.Mode()&fs.ModeSymlink != 0 {
			if to, err := paths.Resolve(place); err == nil {
				place = to
			}
		}
		if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
			place = strings.ToLower(place)
		}
		sum := sha256.Sum256([]byte(place))
		if key := binary.BigEndian.Uint64(sum[:]); c.names[key] == "" {
			c.names[key] = name
		}
	}
}

// alone calls do while no other process makes, compares or removes claims.
func alone(ctx context.Context, folder string, do func() error) error {
	l := flock.New(filepath.Join(folder, mutex), flock.SetPermissions(0o666))
	if _, err := l.TryLockContext(ctx, often/5); err != nil {
		return err
	}
	defer l.Unlock() //nolint:errcheck // the lock ends when the file is closed
	return do()
}

// try makes the claim. If another one is in its way, release is nil, and holder is the name of its file.
func (c *claim) try(ctx context.Context, folder string) (release func(), holder string, held *HeldError, err error) {
	err = alone(ctx, folder, func() error {
		others, err := filepath.Glob(filepath.Join(folder, "*"+ending))
		if err != nil {
			return err
		}
		for _, other := range others {
			void, err := removed(other)
			if err != nil {
				return err
			}
			if void {
				continue
			}
			if owner, file := c.clash(other); file != "" {
				holder, held = other, &HeldError{Owner: owner, File: file}
				return nil
			}
		}
		release, err = c.write(folder)
		return err
	})
	return release, holder, held, err
}

// removed removes a claim whose process has ended, and reports whether it did. Nobody else does that at the same time.
func removed(name string) (bool, error) {
	l := flock.New(name, flock.SetFlag(os.O_RDWR)) // file systems of networks lock only files that can be written
	ok, err := l.TryLock()
	if errors.Is(err, fs.ErrPermission) { // it is that of another user
		l = flock.New(name, flock.SetFlag(os.O_RDONLY))
		ok, err = l.TryLock()
	}
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil || !ok {
		return false, err
	}
	_ = l.Unlock() // an open file cannot be removed everywhere
	_ = os.Remove(name)
	return true, nil
}

// gone waits until the process of a claim has ended.
func gone(ctx context.Context, folder, name string) error {
	for {
		void := false
		err := alone(ctx, folder, func() (err error) {
			void, err = removed(name)
			return err
		})
		if void || ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrNone, err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(often):
		}
	}
}

// write writes and locks the file of the claim. Its first byte, which is what some systems lock, says nothing.
func (c *claim) write(folder string) (release func(), err error) {
	text, err := json.Marshal(c.Owner)
	if err != nil {
		return nil, err
	}
	text = append(append([]byte{'\n'}, text...), '\n')
	keys := make([]uint64, 0, len(c.names))
	for key := range c.names {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		text = binary.BigEndian.AppendUint64(text, key)
	}
	name := filepath.Join(folder, fmt.Sprintf("%016x%s", rand.Uint64(), ending))
	if err = os.WriteFile(name, text, 0o666); err != nil { // for everybody who shares the folder, less the umask
		_ = os.Remove(name) // otherwise it is void
		return nil, err
	}
	l := flock.New(name, flock.SetFlag(os.O_RDWR))
	ok, err := l.TryLock()
	if err == nil && !ok {
		err = fmt.Errorf("%s is locked by another program", name)
	}
	if err != nil {
		_ = os.Remove(name)
		return nil, err
	}
	return func() {
		_ = l.Unlock()
		_ = os.Remove(name) // otherwise it is void
	}, nil
}

// clash reads another claim, and returns its owner and the first file that it has in common with this one, if there is one. Something that is no claim
// has none.
func (c *claim) clash(other string) (owner Owner, first string) {
	f, err := os.Open(other)
	if err != nil {
		return owner, ""
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil || st.Size() <= 1 {
		return owner, ""
	}
	r := bufio.NewReaderSize(io.NewSectionReader(f, 1, st.Size()-1), maxOwner)
	line, err := r.ReadSlice('\n')
	if err != nil || json.Unmarshal(line, &owner) != nil {
		return owner, ""
	}
	for {
		var key [8]byte
		if _, err := io.ReadFull(r, key[:]); err != nil {
			return owner, first
		}
		if name := c.names[binary.BigEndian.Uint64(key[:])]; name != "" && (first == "" || name < first) {
			first = name
		}
	}
}
