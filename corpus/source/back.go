package source

import (
	"context"

	"github.com/btfbatch/btfbatch/corpus/source/archive"
)

// fromBack searches a file from the end of the archive, if the list of files has it near the end. That reads the blocks of the file and those
// after it, and none of those before.
func (r *reading) fromBack(ctx context.Context, name string) (archive.Entry, bool) {
	files := r.p.head.Files
	for i := range files {
		if files[i].Name != name {
			continue
		}
		if i < len(files)-max(8, len(files)/50) || i < 16 {
			return archive.Entry{}, false
		}
		e, err := r.reader.Last(ctx, func(e *archive.Entry) bool { return e.Name == name })
		return e, err == nil
	}
	return archive.Entry{}, false
}
