package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/btfbatch/btfbatch/corpus/store/address"
)

// A Publish says where the outputs of an image are published, when it is known that they are good.
type Publish struct {
	To      string // address, as package address reads it, or the path of a folder
	Replace bool   // whether what is there with other contents is replaced; otherwise that is an error
}

// Address returns the parsed address.
func (p *Publish) Address() (address.Address, error) {
	if !strings.Contains(p.To, "://") {
		return address.Address{Scheme: address.Folder, Path: p.To}, nil
	}
	a, err := address.Parse(p.To)
	if err == nil && a.Scheme == address.Registry && a.Tag == "" {
		err = fmt.Errorf("%s has no tag; write %s:TAG", a, a)
	}
	return a, err
}

// KeyPublish is the key of Image.Publish.
const KeyPublish = "publish"

// publishKeys are the keys of publish, if it is a mapping.
var publishKeys = []key{
	{"to", "Address: oci://HOST/REPOSITORY:TAG, s3://BUCKET/PREFIX, or a folder.", placeShape, "publish needs to: an address"},
	{"replace", "Whether something else under the same name is replaced. Without it, that is an error.", boolShape, ""},
}

// placeShape is an address, or the path of a folder. The parts of an address may come from expressions.
func placeShape(refs []string) *jsonschema.Schema {
	s := textShape(refs)
	s.AllOf = []*jsonschema.Schema{
		refuse(&jsonschema.Schema{Type: "string", Pattern: `^(?:[A-Za-z0-9+.-]+://)[^/]*@`}, "credentials do not belong into a manifest"),
		refuse(&jsonschema.Schema{Type: "string", Pattern: `^https?://`}, "write oci:// for a registry, s3:// for a bucket"),
	}
	return s
}

func publishShape(refs []string) *jsonschema.Schema {
	one := func() []*jsonschema.Schema {
		return []*jsonschema.Schema{placeShape(refs), mappingOf(publishKeys, refs)}
	}
	return &jsonschema.Schema{AnyOf: append(one(), &jsonschema.Schema{Type: "array", MinItems: new(1), Items: &jsonschema.Schema{AnyOf: one()}})}
}

// publish reads the places where an image is published: an address, a mapping, or a list of these.
func (d *decoder) publish(m *Image, v *value) {
	list := []*value{v}
	if v.kind == sequence {
		if list = v.list; len(list) == 0 {
			d.add(v.position, "", "list is empty")
		}
	}
	for _, x := range list {
		p := Publish{}
		at := x
		if x.kind == mapping {
			d.checkKeys(x, namesOf(publishKeys), KeyPublish)
			d.checkRequired(x, publishKeys)
			if e := x.get("replace"); e != nil {
				d.flag(e.value, &p.Replace)
			}
			e := x.get("to")
			if e == nil {
				continue
			}
			at = e.value
		}
		if !d.place(at, &p) {
			continue
		}
		if slices.ContainsFunc(m.Publish, func(q Publish) bool { return q.To == p.To }) {
			d.add(at.position, "", "%s is listed twice", p.To)
			continue
		}
		m.Publish = append(m.Publish, p)
	}
	if len(m.Publish) > 0 && len(m.Outputs.List()) == 0 && !d.defaults {
		d.add(v.position, "", "publish is about outputs, and the image has none; add outputs")
	}
}

// place reads one address. The path of a folder is relative to the manifest.
func (d *decoder) place(v *value, p *Publish) bool {
	text, ok := d.text(v)
	if !ok {
		return false
	}
	if !strings.Contains(text, "://") {
		if strings.ContainsRune(text, 0) {
			d.add(v.position, "", "path contains a zero byte")
			return false
		}
		text = v.joined(text)
	}
	p.To = text
	filled := Publish{To: withPlaceholders(text, func(string) string { return "x" })}
	if _, err := filled.Address(); err != nil {
		d.add(v.position, "", "%v", err)
		return false
	}
	return true
}
