package config

import (
	"slices"
)

// rootKeys are the keys of a manifest.
var rootKeys = []key{
	{"version", "Version of the format.", versionShape, "version is missing; write version: " + version},
	{"requires", "Versions of btfbatch that can read the manifest, such as \">=1.2, <2\".", requiresShape, ""},
	{"defaults", "Values for all images.", defaultsShape, ""},
	{"matrix", "Lists of values. Images are created for the combinations of the names that they use.", matrixShape, ""},
	{"include", "Other manifests, whose images come first: paths or globs.", includeShape, ""},
	{"images_from", "Lists of images in files: paths, globs, or mappings. Their images come before those of images.", listsShape, ""},
	{"images", "The images to encode.", imagesShape, ""},
}

// version is the only supported version of manifests.
const version = "1"

// manifest reads the text of a manifest, and those that it includes. outer has the defaults of the manifest that includes it.
func (l *loader) manifest(data []byte, outer *value) {
	root := l.readTree(data)
	if root == nil {
		return
	}
	if root.kind != mapping {
		l.add(root.position, "", "a manifest must be a mapping with version and images, not %s", root.what())
		return
	}
	if !l.readVersion(root) || !l.readRequires(root) {
		return
	}
	l.checkKeys(root, namesOf(rootKeys), "the manifest")
	l.checkRequired(root, rootKeys)
	x := expander{loader: l, defaults: outer, used: map[string]bool{}}
	if e := root.get("matrix"); e != nil {
		x.matrix = l.readMatrix(e.value)
		x.matrixBroken = x.matrix == nil
		if x.matrix != nil {
			x.all = l.combinations(x.matrix)
		}
	}
	if e := root.get("defaults"); e != nil {
		x.readDefaults(e.value)
	}
	if e := root.get("include"); e != nil {
		l.include(e.value, x.defaults)
	}
	if e := root.get("images_from"); e != nil {
		x.readLists(e.value)
	}
	x.readImages(root)
	if x.matrix != nil && !l.full { // otherwise uses of the matrix, in the omitted images, are unknown
		for _, a := range x.matrix.axes {
			if !x.used[a.name] {
				l.add(a.at, "", "no image uses ${{ matrix.%s }}", a.name)
			}
		}
	}
}

// readImages reads the images that a manifest lists.
func (x *expander) readImages(root *value) {
	e := root.get("images")
	switch {
	case e == nil:
		if root.get("include") == nil && root.get("images_from") == nil {
			x.add(root.position, "", "images is missing")
		}
		return
	case e.value.kind != sequence:
		x.add(e.value.position, "", "images must be a list, not %s", e.value.what())
		return
	case len(e.value.list) == 0:
		x.add(e.value.position, "", "images is empty")
	case len(e.value.list) > maxImages: // problems of each would fill the memory
		x.add(e.value.list[maxImages].position, "", "manifest has more than %d images", maxImages)
		x.full = true
		return
	}
	x.images = slices.Grow(x.images, len(e.value.list))
	for i, v := range e.value.list {
		if x.image(v); x.full {
			return
		}
		e.value.list[i] = nil // the tree of a long list takes much memory
	}
}

func (r *report) readVersion(root *value) bool {
	e := root.get("version")
	if e == nil {
		return true // checkRequired reports it
	}
	if v := e.value; v.kind != scalar || v.tag != "!!int" {
		r.add(v.position, "", "version must be the number %s, not %s", version, v.what())
	} else if v.text != version {
		// Another version may have other keys, so further errors would be misleading.
		r.add(v.position, "", "unknown version %s; this program supports version %s", v.text, version)
		return false
	}
	return true
}

// checkKeys reports the keys of v that are not among known.
func (r *report) checkKeys(v *value, known []string, where string) {
	for _, e := range v.entries {
		if slices.Contains(known, e.key) {
			continue
		}
		suggestion := r.nearest(e.key, known)
		if meant, ok := otherWords[e.key]; ok && slices.Contains(known, meant) {
			suggestion = `"` + meant + `"`
		}
		at := e.at
		at.path = v.path
		r.add(at, suggestion, "unknown key %q in %s", e.key, where)
	}
}

// otherWords maps likely wrong keys to the right ones, where the spelling is too different for nearest.
var otherWords = map[string]string{
	"architecture": "arch", "file": "path", "image": "path", "vmlinux": "path", "kernels": "images",
	"embed": "outputs", "out": "outputs", "lang": "lang_exclude", "digest": "sha256", "buildid": "build_id",
	"sort": "sort_by_name", "sorted": "sort_by_name",
	"raw": "dump", "vars": "sections", "expected": "golden",
}

// An expander turns the elements of images into Images.
type expander struct {
	*loader
	defaults     *value // of the manifest, on top of those of the manifest that includes it
	matrix       *matrix
	matrixBroken bool
	all          []combination   // of matrix
	used         map[string]bool // names of matrix that some image uses
}

// readDefaults adds the defaults of a manifest to those of the manifest that includes it, and checks them by themselves, because images may
// override all of them.
func (x *expander) readDefaults(v *value) {
	if v.kind != mapping {
		x.add(v.position, "", "defaults must be a mapping, not %s", v.what())
		return
	}
	x.checkKeys(v, imageKeyNames(), "defaults")
	allowed := keyNames(func(k *imageKey) bool { return k.inDefaults })
	kept := &value{position: v.position, kind: mapping}
	for _, e := range v.entries {
		if slices.Contains(allowed, e.key) {
			kept.entries = append(kept.entries, e)
		} else if keyNamed(e.key) != nil {
			x.add(e.at, "", "%s is specific to one image and is not allowed in defaults", e.key)
		}
	}
	x.defaults = x.merge(kept, true)
	d := x.closed()
	d.defaults = true
	d.image(partial(x.defaults))
}

// partial returns the defaults without a from that does not say where an image is, which images may complete.
func partial(defaults *value) *value {
	list := slices.Clone(defaults.entries)
	list = slices.DeleteFunc(list, func(e entry) bool { return e.key == "from" && e.value.kind == mapping })
	return &value{position: defaults.position, kind: mapping, entries: list}
}

// closed returns a decoder that finds problems independent of the matrix.
func (x *expander) closed() *decoder {
	s := newScope(nil, x.env)
	s.closed = true
	return &decoder{report: x.report, scope: s}
}

// image reads one element of images, once for each combination of the matrix names that it uses.
func (x *expander) image(v *value) {
	if v.kind != mapping {
		x.add(v.position, "", "an image must be a mapping with path or from, not %s", v.what())
		return
	}
	x.about = v.position
	defer func() { x.about = position{} }()
	merged, combinations, ok := x.prepared(v)
	if !ok {
		x.closed().image(merged)
		return
	}
	x.expandInto(merged, combinations, nil)
}

// prepared checks the keys of an image, and returns it with the defaults and the combinations that it is expanded to. It is false if there was
// a problem with these.
func (x *expander) prepared(v *value) (merged *value, all []combination, ok bool) {
	x.checkKeys(v, imageKeyNames(), "an image")
	merged = x.merge(v, false)
	if !located(merged) {
		x.add(v.position, "", "path is missing; an image needs path, or from")
	}
	all, ok = x.expand(v, merged)
	return merged, all, ok
}

// expandInto adds an image for each combination. row is the row of a list that the image is filled from, or nil.
func (x *expander) expandInto(merged *value, all []combination, row *value) {
	for _, c := range all {
		if len(x.images) == maxImages {
			x.add(merged.position, "", "manifest has more than %d images", maxImages)
			x.full = true
			return
		}
		if !x.spend(size(merged), merged.position) {
			return
		}
		d := decoder{report: x.report, scope: newScope(c, x.env)}
		d.scope.row = row
		m := d.image(merged)
		m.Order = len(x.images)
		if row != nil {
			m.src, m.Line, m.Column = row.src, row.line, row.col
		}
		x.images = append(x.images, m)
	}
}

// merge applies the defaults to an image, or to the defaults of an included manifest. A key of the image replaces the default, outputs,
// golden and from are merged key by key, and an empty value removes a default.
func (x *expander) merge(v *value, isDefaults bool) *value {
	merged := &value{position: v.position, kind: mapping}
	for _, e := range v.entries {
		def := x.defaults.get(e.key)
		if def != nil && e.value.null() {
			continue
		}
		if def != nil && e.key == "outputs" && e.value.kind == mapping && def.value.kind == mapping {
			e.value = overlay(e.value, def.value)
		}
		if def != nil && e.key == "golden" {
			e.value = mergeGolden(e.value, def.value)
		}
		if def != nil && e.key == "from" {
			e.value = inheritFrom(e.value, def.value)
		}
		merged.entries = append(merged.entries, e)
	}
	hasBase, hasPath := v.get("base") != nil, v.get("path") != nil
	for _, e := range x.defaults.entries {
		if e.key == "golden" && needsPath(e.value) && !isDefaults {
			continue
		}
		if v.get(e.key) == nil && !(hasBase && (e.key == "base_path" || e.key == "base_sha256")) && !(hasPath && e.key == "from") {
			merged.entries = append(merged.entries, e)
		}
	}
	return merged
}

func overlay(v, defaults *value) *value {
	out := &value{position: v.position, kind: mapping}
	for _, e := range v.entries {
		if !e.value.null() || defaults.get(e.key) == nil {
			out.entries = append(out.entries, e)
		}
	}
	for _, e := range defaults.entries {
		if v.get(e.key) == nil {
			out.entries = append(out.entries, e)
		}
	}
	return out
}

// expand finds the combinations of the matrix names that an image uses. An image that uses none has one combination. The result is
// false if there was a problem.
func (x *expander) expand(v, merged *value) ([]combination, bool) {
	m, all, sound := x.matrix, x.all, !x.matrixBroken
	own := v.get("matrix")
	if own != nil {
		m, all = x.readMatrix(own.value), nil
		if sound = m != nil; sound {
			all = x.combinations(m)
		}
	}
	at := map[string]position{} // of the first use of each name
	var used []string
	for _, k := range imageKeys {
		if e := merged.get(k.name); e != nil && k.name != "matrix" {
			used = x.matrixRefs(e.value, at, used)
		}
	}
	if own == nil {
		for _, name := range used {
			x.used[name] = true
		}
	} else if m != nil {
		for _, a := range m.axes {
			if !slices.Contains(used, a.name) {
				x.add(a.at, "", "the image does not use ${{ matrix.%s }}", a.name)
			}
		}
	}
	switch {
	case len(used) == 0:
		return []combination{{}}, true
	case !sound || !x.knows(m, used, at) || len(all) == 0 || !x.spend(len(all)*len(used), v.position):
		return nil, false
	}
	return x.project(all, used, at), true
}

// knows reports names that an image uses and the matrix lacks.
func (x *expander) knows(m *matrix, used []string, at map[string]position) bool {
	ok := true
	var names []string
	if m != nil {
		names = m.names()
	}
	for _, name := range used {
		if m == nil {
			x.add(at[name], "", "matrix.%s is used but there is no matrix", name)
			ok = false
		} else if !slices.Contains(names, name) {
			x.add(at[name], x.nearest(name, names), "matrix has no %q", name)
			ok = false
		}
	}
	return ok
}

// size counts the values below v.
func size(v *value) int {
	n := 1
	for _, x := range v.list {
		n += size(x)
	}
	for _, e := range v.entries {
		n += size(e.value)
	}
	return n
}
