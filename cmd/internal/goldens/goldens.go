// Package goldens shows and accepts the goldens that a run proposes.
//
// Input: the images of a manifest, and the folder that `run --new-goldens` filled. Output: what each new golden would change, and
// goldens that are replaced on request. Never: the package does not encode, and touches only goldens of the manifest and their proposals.
package goldens

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/cmd/internal/paths"
	"github.com/btfbatch/btfbatch/cmd/internal/publish"
	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/input"
	"github.com/btfbatch/btfbatch/golden"
	"github.com/btfbatch/btfbatch/golden/cause"
)

// Place returns the path of the proposal for a golden in a folder of new goldens. The golden has the same path relative to the folder of the
// manifest, so the folder of new goldens can be copied over that of the manifest.
func Place(tree, manifestDir, path string) (string, error) {
	rel, err := filepath.Rel(manifestDir, path)
	if err != nil || !filepath.IsLocal(rel) {
		return "", fmt.Errorf("%s is not below the folder of the manifest, so a folder of new goldens has no place for it", path)
	}
	return filepath.Join(tree, rel), nil
}

// A Golden is a golden of a manifest.
type Golden struct {
	Path   string   // of the golden file, which need not exist
	Images []string // names of the images that use it
	There  bool     // the file exists
	New    string   // the path of its proposal; empty if there is none
	Digest bool     // it is a file of sums

	base  *Golden // of the base; may be nil
	image *config.Image
	clash error // why no proposal can be accepted; may be nil

	isBase bool
	bases  []*btf.Object // what the goldens of images with this base may continue, once it was read; see continued
}

// List returns the goldens of images, in the order of the manifest, with their proposals in the folder tree. "" stands for no folder. stray are
// the files in that folder that are not the proposal for any golden.
func List(items []corpus.Item, manifestDir, tree string) (list []*Golden, stray []string, err error) {
	byPath, byImage := map[string]*Golden{}, map[string]*Golden{}
	for i := range items {
		im := &items[i].Image
		if im.Golden == "" || config.Open(im.Golden) {
			continue
		}
		g := byPath[im.Golden]
		if g == nil {
			g = &Golden{Path: im.Golden, Digest: im.Check.Policy == config.Digest, image: im}
			if _, err := os.Stat(g.Path); err == nil {
				g.There = true
			} else if !errors.Is(err, fs.ErrNotExist) {
				return nil, nil, err
			}
			byPath[g.Path], list = g, append(list, g)
		}
		g.Images = append(g.Images, im.Name)
		byImage[im.Name] = g
	}
	for _, g := range list {
		if g.base = byImage[g.image.Base]; g.base != nil { // nil if the base has no golden
			g.base.isBase = true
		}
	}
	if tree == "" {
		return list, nil, nil
	}
	files, err := filesBelow(tree)
	if err != nil {
		return nil, nil, err
	}
	for _, g := range list {
		if at, err := Place(tree, manifestDir, g.Path); err == nil && files[at] { // false for what is no regular file
			if same(at, g.Path) {
				return nil, nil, fmt.Errorf("%s is a golden, not a new one: give the folder that run --new-goldens has filled", at)
			}
			g.New = at
			delete(files, at)
		}
	}
	for path := range files {
		stray = append(stray, path)
	}
	slices.Sort(stray)
	return list, stray, findClashes(list)
}

// same reports whether two paths lead to one file. If a proposal were the golden itself, to reject it would delete the golden.
func same(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// filesBelow lists the files in a folder, which may be named by a link. The value is false for links in it, and for other files that are not regular:
// a link in what came from elsewhere can lead anywhere.
func filesBelow(tree string) (files map[string]bool, err error) {
	if st, err := os.Stat(tree); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w: a run with --new-goldens creates the folder if a golden differs or is missing", tree, fs.ErrNotExist)
	} else if err != nil {
		return nil, err
	} else if !st.IsDir() {
		return nil, fmt.Errorf("%s is not a folder", tree)
	}
	files = map[string]bool{}
	err = filepath.WalkDir(tree+string(filepath.Separator), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files[path] = d.Type().IsRegular()
		}
		return err
	})
	return files, err
}

// findClashes finds goldens that are one file under several names, and whose proposals differ. To accept one would undo the other.
func findClashes(list []*Golden) error {
	first := map[string]*Golden{}
	for _, g := range list {
		if g.New == "" {
			continue
		}
		key := paths.Key(g.Path)
		other := first[key]
		if other == nil {
			first[key] = g
			continue
		}
		one, _, err := read(other.New)
		if err != nil {
			return err
		}
		two, _, err := read(g.New)
		if err != nil {
			return err
		}
		if !bytes.Equal(one, two) {
			g.clash = fmt.Errorf("%s and %s are the same file, and their new goldens differ; give each image its own golden", other.Path, g.Path)
			other.clash = g.clash
		}
	}
	return nil
}

// maxText is the maximum size of a golden that is shown or accepted, in bytes after decompression.
const maxText = 1 << 30

// read returns the text of a golden, which may be compressed, and the name of the compression.
func read(path string) (text []byte, packed string, err error) {
	f, err := input.OpenStream(path, input.Dump, input.Dense, input.Selected, input.Text, input.CSource, input.Empty)
	if err != nil {
		return nil, "", input.Named(path, err)
	}
	defer f.Close()
	text, err = io.ReadAll(io.LimitReader(f, maxText+1))
	if err == nil && len(text) > maxText {
		err = fmt.Errorf("%s: more than %d bytes", path, maxText)
	}
	return text, f.Packed, input.Named(path, err)
}

// ErrBase says that a golden cannot be read, because the base that it continues has no golden that says what it was.
var ErrBase = errors.New("its base is another one than when it was written, and has no golden that says which")

// parse parses a golden, which continues one of some bases if it is split. Without any, references to the base lead nowhere.
func parse(path string, bases ...*btf.Object) (s *golden.Side, err error) {
	text, _, err := read(path)
	if err != nil {
		return nil, err
	}
	if len(bases) == 0 {
		bases = []*btf.Object{nil}
	}
	s, err = golden.OnBase(bases, func(base *btf.Object) (*golden.Side, error) {
		s := &golden.Side{Input: cause.Input{Name: path}}
		return s, s.Parse(text, base)
	})
	if err == nil {
		return s, nil
	}
	if wrong, ok := errors.AsType[*golden.BaseError](err); ok {
		err = fmt.Errorf("%w: %w", wrong, ErrBase)
	}
	return nil, fmt.Errorf("%s: %w", path, err)
}

// continued returns what the goldens of images with this base may continue: the golden and its proposal. One that does not exist, that has no
// types, or that cannot be read is left out. What was read stays known when the proposal is accepted.
func (g *Golden) continued() []*btf.Object {
	if g == nil {
		return nil
	}
	if g.Digest || g.bases != nil {
		return g.bases
	}
	g.bases = []*btf.Object{}
	for _, path := range []string{g.Path, g.New} {
		if path == "" {
			continue
		}
		if s, err := parse(path); err == nil && s.Selected == nil {
			s.Object.Strings.Index()
			g.bases = append(g.bases, s.Object)
		}
	}
	return g.bases
}

// A DamagedError says that a golden cannot be read. Its proposal can be accepted nevertheless, and is not to blame.
type DamagedError struct{ error }

// Unwrap returns what is wrong with the golden.
func (e *DamagedError) Unwrap() error { return e.error }

// Compare compares a golden with its proposal. A golden that does not exist has no types. The error is ErrBase if one of the two cannot be read
// for want of its base, and a *DamagedError if the golden cannot be read for another reason.
func (g *Golden) Compare() (*cause.Comparison, error) {
	if g.Digest {
		return nil, fmt.Errorf("%s is a file of sums, which has no types to show", g.Path)
	}
	is, err := g.proposal()
	if err != nil {
		return nil, err
	}
	was := &golden.Side{Input: cause.Input{Object: btf.New(is.Object.Order, is.Object.Base), Name: g.Path}}
	if g.There {
		if was, err = parse(g.Path, g.base.continued()...); err != nil {
			return nil, &DamagedError{err}
		}
	}
	if err := golden.Reduce(was, is); err != nil {
		return nil, err
	}
	exact := g.image.Check.Policy != config.Semantic
	return cause.Compare(was.Input, is.Input, cause.Options{Exact: exact}), nil
}

// proposal reads the proposal, which must have the form that the policy wants. It continues the proposal of its base, if there is one.
func (g *Golden) proposal() (*golden.Side, error) {
	bases := slices.Clone(g.base.continued())
	slices.Reverse(bases)
	s, err := parse(g.New, bases...)
	if err != nil {
		return nil, err
	}
	if want := g.image.Check.Policy == config.Selected; want != (s.Selected != nil) {
		return nil, fmt.Errorf("%s does not have the form of the policy in the manifest; run btfbatch again with --new-goldens", g.New)
	}
	return s, nil
}

// Accept replaces the golden by its proposal, and removes the proposal. In CI the error is golden.ErrCI.
func (g *Golden) Accept(files *publish.Publisher) error {
	if golden.CI() {
		return fmt.Errorf("%s: %w", g.Path, golden.ErrCI)
	}
	if g.clash != nil {
		return g.clash
	}
	if g.Digest {
		if _, err := golden.ReadSums(g.New); err != nil {
			return err
		}
	} else if _, err := g.proposal(); err != nil && !errors.Is(err, ErrBase) { // a damaged proposal is not accepted
		return err
	}
	if g.isBase { // what it was is still asked for
		g.continued()
	}
	text, packed, err := read(g.New)
	if err != nil {
		return err
	}
	err = files.File(g.Path, func(w io.Writer) error {
		z, err := input.NewDensePacker(w, packed)
		if err != nil {
			return err
		}
		_, err = z.Write(text)
		return errors.Join(err, z.Close())
	})
	if err != nil {
		return err
	}
	if err := g.Reject(); err != nil {
		return fmt.Errorf("%s is accepted, but its new golden stays: %w", g.Path, err)
	}
	return nil
}

// Reject removes the proposal.
func (g *Golden) Reject() error {
	if err := os.Remove(g.New); err != nil {
		return err
	}
	g.New = ""
	return nil
}

// Unused returns the goldens that no image uses: the raw dumps in the folders of the manifest's goldens, except for used
// goldens and outputs.
func Unused(list []*Golden, items []corpus.Item) (unused []string, err error) {
	var open []string // images whose goldens depend on files that a glob did not find
	for i := range items {
		if config.Open(items[i].Image.Golden) {
			open = append(open, items[i].Image.Name)
		}
	}
	if len(open) > 0 {
		return nil, fmt.Errorf("goldens of %s depend on files that were not found, so any golden may be one of them", strings.Join(open, ", "))
	}
	used := map[string]bool{}
	for i := range items {
		for _, o := range items[i].Image.Outputs.List() {
			used[o.Path] = true
		}
	}
	var folders []string
	for _, g := range list {
		used[g.Path] = true
		if dir := filepath.Dir(g.Path); !slices.Contains(folders, dir) {
			folders = append(folders, dir)
		}
	}
	for _, dir := range folders {
		entries, err := os.ReadDir(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return nil, err
		}
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			if !used[path] && e.Type().IsRegular() && isDump(path) {
				unused = append(unused, path)
			}
		}
	}
	return unused, nil
}

// isDump reports whether a file is a raw dump, or a golden of selected declarations.
func isDump(path string) bool {
	f, err := input.OpenStream(path, input.Dump, input.Dense, input.Selected)
	if err != nil {
		return false
	}
	return f.Close() == nil
}

// Delete deletes a golden. In CI the error is golden.ErrCI.
func Delete(path string) error {
	if golden.CI() {
		return fmt.Errorf("%s: %w", path, golden.ErrCI)
	}
	return os.Remove(path)
}
