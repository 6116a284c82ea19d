package cache

import (
	"encoding/json"
	"path/filepath"
	"time"

	"github.com/btfbatch/btfbatch/encoder/input"
)

// The digest of a large file is remembered together with the state of the file: its device, inode, size and times. As long as the state is
// the same, the contents are taken to be the same. There is one exception: a file that is written to again within the resolution of its
// times has other contents and the same state. Therefore a record counts only if the file had been left alone for Settling when it was read.

// Settling is longer than the resolution of the times of file systems.
const Settling = 3 * time.Second

// A State is what the file system says about a file.
type State struct {
	ID      string    // of the file and its state; empty if the system does not provide one
	Changed time.Time // when it was last written to or renamed
}

// StateOf returns the state of a file. It is the zero value if the file is not regular, or if the system tells too little.
func StateOf(path string) State {
	st, err := input.Stat(path)
	if err != nil || !st.Mode().IsRegular() {
		return State{}
	}
	v, ok := input.VersionOf(st)
	if !ok {
		return State{}
	}
	return State{ID: v.String(), Changed: v.Changed()}
}

// A Record is what was known about a file when it was read.
type Record struct {
	Path    string `json:"path"`
	State   string `json:"state"`
	Changed int64  `json:"changed"` // as State.Changed, Unix time in nanoseconds
	Read    int64  `json:"read"`    // when reading began
	SHA256  string `json:"sha256"`
	Holds   string `json:"holds,omitempty"` // what the contents are, in the words of the caller
}

// Remember stores the digest of a file, which was read after the given time and was in the given state before and after that. holds is for
// the caller. A file without a state is not remembered.
func (c *Cache) Remember(path string, s State, read time.Time, sum, holds string) error {
	path, err := filepath.Abs(path)
	if err != nil || s.ID == "" {
		return err
	}
	text, err := json.Marshal(Record{path, s.ID, s.Changed.UnixNano(), read.UnixNano(), sum, holds})
	if err != nil {
		return err
	}
	name := Sum([]byte(path))
	return c.put(files, name, seal(name, text))
}

// Recall returns what is known about a file. current reports whether its digest is certainly the present one; otherwise it is what the file
// had once. The error is as that of Blob.
func (c *Cache) Recall(path string, s State) (r Record, current bool, err error) {
	path, err = filepath.Abs(path)
	if err != nil {
		return r, false, err
	}
	text, err := c.sealed(files, Sum([]byte(path)))
	if err != nil {
		return r, false, err
	}
	if err := json.Unmarshal(text, &r); err != nil || r.Path != path || !isSum(r.SHA256) {
		return Record{}, false, ErrAbsent
	}
	settled := r.Read-r.Changed >= int64(Settling)
	return r, settled && s.ID != "" && r.State == s.ID && r.Changed == s.Changed.UnixNano(), nil
}
