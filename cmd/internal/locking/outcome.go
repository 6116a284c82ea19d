package locking

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/config/lock"
	"github.com/btfbatch/btfbatch/golden/escape"
)

// An Outcome is what the making of a lock led to.
type Outcome struct {
	Path    string
	Old     *lock.File // nil if there was none
	Now     *lock.File
	Written bool

	lock.Difference
	Lost []string // of Removed: images of lists of the manifest, in the order of their names
}

// NewOutcome compares a new lock with the old one.
func NewOutcome(path string, old, now *lock.File) *Outcome {
	o := &Outcome{Path: path, Old: old, Now: now, Lost: []string{}}
	if old == nil {
		old = &lock.File{}
	} else {
		o.Lost = append(o.Lost, lock.Lost(old, now)...)
	}
	o.Difference = lock.Compare(old, now)
	return o
}

// Shrunk returns an error if lists of the manifest lost more images than allowed.
func (o *Outcome) Shrunk(allowed int) error {
	if len(o.Lost) <= allowed {
		return nil
	}
	return fmt.Errorf("%s: lists of the manifest lose %s: %s; nothing is written. If that is intended, allow it with --allow-shrink %d",
		o.Path, count(len(o.Lost), "image"), someOf(o.Lost), len(o.Lost))
}

// Unasked returns an error if images changed that were not to be updated.
func (o *Outcome) Unasked(manifest string, asked func(name string) bool) error {
	var names []string
	for _, c := range o.Changed {
		if !asked(c.Name) && !o.byManifest(&c) {
			names = append(names, c.Name)
		}
	}
	if names == nil {
		return nil
	}
	return fmt.Errorf("%s: %s changed: %s; nothing is written. If that is right, take it with btfbatch lock %s --update",
		o.Path, count(len(names), "image"), someOf(names), escape.Shell(manifest))
}

// someOf lists the first names. Each of all has a line of its own in the outcome.
func someOf(names []string) string {
	shown := names[:min(len(names), 3)]
	text := escape.Line(strings.Join(shown, ", "))
	if n := len(names) - len(shown); n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text
}

// byManifest reports whether an image changed because the manifest says something else about where it is.
func (o *Outcome) byManifest(c *lock.Change) bool {
	return slices.ContainsFunc(c.Fields, func(f lock.Field) bool {
		return slices.Contains([]string{"from", "glob", "list", "base", "base_path"}, f.Key) || f.Key == "path" && o.Now.Image(c.Name).Glob == ""
	})
}

// few is the number of images of one list up to which each new one has a line.
const few = 10

// WriteText lists what came, went and changed, if there was a lock before, and ends with a line about all images.
func (o *Outcome) WriteText(w io.Writer) error {
	var b strings.Builder
	if o.Old != nil {
		o.writeAdded(&b)
		for _, name := range o.Removed {
			lost := ""
			if _, found := slices.BinarySearch(o.Lost, name); found {
				lost = ", lost by a list"
			}
			fmt.Fprintf(&b, "- %s: %s%s\n", escape.Line(name), escape.Line(where(o.Old, name)), lost)
		}
		o.writeChanged(&b)
	}
	fmt.Fprintf(&b, "%s: %s", escape.Line(o.Path), count(len(o.Now.Images), "image"))
	if n := len(o.Now.Sources); n > 0 {
		fmt.Fprintf(&b, " of %s", count(n, "source"))
	}
	switch {
	case o.Old == nil:
	case o.None():
		b.WriteString(", unchanged")
	default:
		fmt.Fprintf(&b, ", %d added, %d removed, %d changed", len(o.Added), len(o.Removed), len(o.Changed))
	}
	if !o.Written && !(o.Old != nil && o.None()) {
		b.WriteString(", not written")
	}
	b.WriteByte('\n')
	_, err := io.WriteString(w, b.String())
	return err
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// where says where an image of a lock is.
func where(f *lock.File, name string) string {
	im := f.Image(name)
	text := im.Path + im.From
	if s := f.Source(im.From); s != nil && s.Version != "" {
		text += ", " + s.Package + " " + s.Version
	}
	if im.Member != "" {
		text += ", " + im.Member
	}
	return text
}

func (o *Outcome) writeAdded(b *strings.Builder) {
	type list struct{ from, glob string }
	groups := map[list][]string{}
	for _, name := range o.Added {
		im := o.Now.Image(name)
		key := list{im.From, im.Glob}
		groups[key] = append(groups[key], name)
	}
	for _, name := range o.Added {
		im := o.Now.Image(name)
		group := groups[list{im.From, im.Glob}]
		if len(group) <= few {
			fmt.Fprintf(b, "+ %s: %s\n", escape.Line(name), escape.Line(where(o.Now, name)))
		} else if group[0] == name {
			fmt.Fprintf(b, "+ %s, %s and %d more: %s\n", escape.Line(name), escape.Line(group[1]), len(group)-2, escape.Line(strings.TrimSpace(im.From+" "+im.Glob)))
		}
	}
}

// writeChanged writes a line for each image that changed, and one for images that changed in the same way.
func (o *Outcome) writeChanged(b *strings.Builder) {
	texts := make([]string, len(o.Changed))
	names := map[string][]string{}
	for i := range o.Changed {
		texts[i] = changeText(o.Changed[i].Fields)
		names[texts[i]] = append(names[texts[i]], o.Changed[i].Name)
	}
	for i := range o.Changed {
		same := names[texts[i]]
		if same[0] != o.Changed[i].Name {
			continue
		}
		fmt.Fprintf(b, "~ %s", escape.Line(same[0]))
		if len(same) > 1 {
			fmt.Fprintf(b, " and %d more", len(same)-1)
		}
		fmt.Fprintf(b, ": %s\n", escape.Line(texts[i]))
	}
}

// changeText describes a change. What follows from another version of a package is left out: the members and build IDs.
func changeText(fields []lock.Field) string {
	has := func(key string) bool {
		return slices.ContainsFunc(fields, func(f lock.Field) bool { return f.Key == key })
	}
	var list []string
	for _, f := range fields {
		implied := (f.Key == "member" || f.Key == "build_id" || f.Key == "size") && has("sha256")
		if !implied {
			list = append(list, fmt.Sprintf("%s %s → %s", f.Key, short(f.Old), short(f.New)))
		}
	}
	return strings.Join(list, ", ")
}

// short cuts digests.
func short(value string) string {
	switch {
	case value == "":
		return "none"
	case len(value) == 64 && strings.Trim(value, "0123456789abcdef") == "":
		return value[:12]
	}
	return value
}

// WriteJSON writes the same with all values.
func (o *Outcome) WriteJSON(w io.Writer) error {
	return escape.WriteJSON(w, struct {
		Version int  `json:"version"`
		Images  int  `json:"images"`
		Sources int  `json:"sources"`
		Written bool `json:"written"`
		lock.Difference
		Lost []string `json:"lost"`
	}{1, len(o.Now.Images), len(o.Now.Sources), o.Written, o.Difference, o.Lost}, "  ")
}
