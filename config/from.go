package config

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/google/jsonschema-go/jsonschema"

	"github.com/btfbatch/btfbatch/encoder/input"
)

// A From says where an image comes from if it is not a file of its own.
type From struct {
	Kind   string // one of fromKinds
	Where  string // deb, rpm: the path or the http(s) URL of a package; url: the URL of an image; debuginfod: a build id in lower-case hex
	Apt    Apt    // apt only
	Member string // pattern of files in the package, or the one that it was resolved to; empty for the kernel
	SHA256 string // of the package, or of the file that url or debuginfod name; lower-case hex, empty if not pinned
	Locked *Locked

	absolute bool // the manifest has an absolute path
}

// A Locked is what a lock has for a From, which is no longer what can be found today: From.SHA256 is the digest in the lock.
type Locked struct {
	Package, Version string // of a package

	Contradicted bool // the manifest pins another digest: that one counts, and the lock does not vouch for it
}

// Apt names a package in an archive that apt knows.
type Apt struct {
	Suite, Arch, Package string
	Mirror               string // URL of the archive; empty for the one in the configuration of the system
}

// The kinds of From.
const (
	FromDeb        = "deb"
	FromRPM        = "rpm"
	FromURL        = "url"
	FromApt        = "apt"
	FromDebuginfod = "debuginfod"
)

var fromKinds = []string{FromDeb, FromRPM, FromURL, FromApt, FromDebuginfod}

// fromKeys are the keys of from.
var fromKeys = []key{
	{FromDeb, "Debian package (.deb or .ddeb): a path relative to the manifest, or an http(s) URL.", packageShape, ""},
	{FromRPM, "RPM package: a path relative to the manifest, or an http(s) URL.", packageShape, ""},
	{FromURL, "Image on a server, plain or compressed: an http(s) URL.", urlShape, ""},
	{FromApt, "Debian package, by its name in an archive that apt knows.", aptShape, ""},
	{FromDebuginfod, "Build ID of an image on a debuginfod server.", digestShape("", "1,64"), ""},
	{"member", "Files of the package, by their paths from its root. May be a glob; each match is an image. Default: the kernel.", memberShape, ""},
	{"sha256", "SHA-256 that the package, or the file on the server, must have.", digestShape("sha256:", "32"), ""},
}

// aptKeys are the keys of apt. The defaults may complete them.
var aptKeys = []key{
	{"suite", "Suite, such as trixie or trixie-security.", aptWordShape, ""},
	{"arch", "Debian's name of the architecture, such as amd64.", aptWordShape, ""},
	{"package", "Name of the package, or of a meta package that depends on the newest one.", aptWordShape, ""},
	{"mirror", "URL of the archive. Default: that of the system's configuration, or Debian's.", mirrorShape, ""},
}

func fromShape(refs []string) *jsonschema.Schema {
	s := mappingOf(fromKeys, refs)
	for i, a := range fromKinds {
		for _, b := range fromKinds[i+1:] {
			s.AllOf = append(s.AllOf, refuse(&jsonschema.Schema{Required: []string{a, b}}, "an image comes from one place"))
		}
	}
	for _, kind := range []string{FromURL, FromDebuginfod} {
		s.AllOf = append(s.AllOf, refuse(&jsonschema.Schema{Required: []string{kind, "member"}}, "only a package has members"))
	}
	return s
}

func aptShape(refs []string) *jsonschema.Schema { return mappingOf(aptKeys, refs) }

// either is a text that matches a pattern, or one that contains expressions.
func either(pattern string, refs []string) *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "string", Pattern: pattern}, expressions(refs)}}
}

func urlShape(refs []string) *jsonschema.Schema { return either(httpURLPattern, refs) }

func mirrorShape(refs []string) *jsonschema.Schema {
	return either(`^https?://[^/\s]+(?:/\S*)?$`, refs)
}

func packageShape(refs []string) *jsonschema.Schema {
	file := fileShape(refs)
	file.AllOf = append(file.AllOf, refuse(&jsonschema.Schema{Type: "string", Pattern: `^(?:[^$]|\$+[^{$])*[*?[{]`}, "name one package"))
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{file, {Type: "string", Pattern: httpURLPattern}, expressions(refs)}}
}

func memberShape(refs []string) *jsonschema.Schema {
	s := textShape(refs)
	s.AllOf = []*jsonschema.Schema{refuse(&jsonschema.Schema{Type: "string", Pattern: `^/`}, "paths in a package are relative to its root")}
	return s
}

func aptWordShape(refs []string) *jsonschema.Schema {
	date := &jsonschema.Schema{Type: "string", Pattern: `^[0-9-]+T[0-9:]+Z$`} // what validators make of 2024-01-02
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "string", Pattern: aptWord.String()}, {Type: "number"}, date, expressions(refs)}}
}

// InPackage reports whether the image is a file in a package.
func (f *From) InPackage() bool { return f.Kind == FromDeb || f.Kind == FromRPM || f.Kind == FromApt }

// from reads the key from.
func (d *decoder) from(m *Image, v *value) {
	broken := func(is bool) {
		for _, name := range []string{"file", "release", "package", "version"} {
			d.scope.broken[name] = is
		}
	}
	broken(true)
	if v.kind != mapping {
		d.add(v.position, "", "from must be a mapping with one of %s, not %s", strings.Join(fromKinds, ", "), v.what())
		return
	}
	d.checkKeys(v, namesOf(fromKeys), "from")
	f := &From{}
	for _, kind := range fromKinds {
		e := v.get(kind)
		if e == nil {
			continue
		}
		if f.Kind != "" {
			d.add(e.at, "", "from has both %s and %s; an image comes from one of them", f.Kind, kind)
			return
		}
		f.Kind = kind
		m.mark("from."+kind, e.value.position)
		d.fromPlace(f, e.value)
	}
	if f.Kind == "" {
		d.add(v.position, "", "from needs one of %s", strings.Join(fromKinds, ", "))
		return
	}
	if e := v.get("sha256"); e != nil {
		f.SHA256 = d.digest(e.value, "sha256:", 32, 32)
	}
	if e := v.get("member"); e != nil {
		d.member(f, e)
	}
	m.From = f
	broken(false)
	d.scope.image["file"], d.scope.image["release"] = filePlaceholder, releasePlaceholder
	if f.InPackage() {
		d.scope.image["package"], d.scope.image["version"] = packagePlaceholder, versionPlaceholder
	}
}

// fromPlace reads the value of one of fromKinds.
func (d *decoder) fromPlace(f *From, v *value) {
	switch f.Kind {
	case FromApt:
		d.apt(&f.Apt, v)
	case FromDebuginfod:
		f.Where = d.digest(v, "", 1, 64)
	case FromURL:
		if text, ok := d.text(v); ok {
			f.Where = text
			d.httpURL(v, text)
		}
	default:
		text, ok := d.text(v)
		switch {
		case !ok:
		case !input.IsURL(text):
			f.Where, f.absolute = text, filepath.IsAbs(text)
			d.readPath(v, &f.Where)
			if strings.ContainsAny(text, "*?[{") {
				d.add(v.position, "", "%s %q has a wildcard; name one package, and use a matrix for several", f.Kind, text)
			}
		default:
			f.Where = text
			d.httpURL(v, text)
		}
	}
}

const httpURLPattern = `^https?://[^/\s]+/\S*$`

var httpURL = regexp.MustCompile(httpURLPattern)

func (d *decoder) httpURL(v *value, text string) {
	if !httpURL.MatchString(text) {
		d.add(v.position, "", "%q is not an http or https URL", text)
	}
}

// aptWord matches the names of suites, architectures and packages.
var aptWord = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9+._/-]*$`)

func (d *decoder) apt(a *Apt, v *value) {
	if v.kind != mapping {
		d.add(v.position, "", "apt must be a mapping with suite, arch and package, not %s", v.what())
		return
	}
	d.checkKeys(v, namesOf(aptKeys), "apt")
	for _, k := range []struct {
		key string
		to  *string
	}{{"suite", &a.Suite}, {"arch", &a.Arch}, {"package", &a.Package}} {
		e := v.get(k.key)
		if e == nil {
			d.add(v.position, "", "apt needs suite, arch and package; %s is missing", k.key)
			continue
		}
		text, ok := d.text(e.value)
		if ok && !aptWord.MatchString(text) {
			d.add(e.value.position, "", "%q is not the name of a %s", text, map[string]string{"suite": "suite", "arch": "Debian architecture", "package": "package"}[k.key])
		}
		*k.to = text
	}
	if e := v.get("mirror"); e != nil {
		if text, ok := d.text(e.value); ok {
			a.Mirror = text
			d.httpURL(e.value, strings.TrimSuffix(text, "/")+"/")
		}
	}
}

// member reads the pattern of files in a package.
func (d *decoder) member(f *From, e *entry) {
	if !f.InPackage() {
		d.add(e.at, "", "%s names an image and not a package, so there is no member to choose", f.Kind)
		return
	}
	text, ok := d.text(e.value)
	if !ok {
		return
	}
	switch {
	case !doublestar.ValidatePattern(text):
		d.add(e.value.position, "", "glob %q is malformed", text)
	case strings.HasPrefix(text, "/"):
		d.add(e.value.position, `"`+strings.TrimLeft(text, "/")+`"`, "member %q starts with a slash; paths in a package are relative to its root", text)
	}
	f.Member = text
}

// inheritFrom merges the from of an image with that of the defaults, key by key. If the image names a source of its own, it inherits no
// source, member or digest.
func inheritFrom(v, defaults *value) *value {
	if v.kind != mapping || defaults.kind != mapping {
		return v
	}
	own := slices.ContainsFunc(v.entries, func(e entry) bool { return slices.Contains(fromKinds, e.key) })
	kept := &value{position: defaults.position, kind: mapping}
	for _, e := range defaults.entries {
		if x := v.get(e.key); x != nil && e.key == FromApt && x.value.kind == mapping && e.value.kind == mapping {
			x.value = overlay(x.value, e.value)
		}
		if !own {
			kept.entries = append(kept.entries, e)
		}
	}
	return overlay(v, kept)
}
