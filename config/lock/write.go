package lock

import (
	"bytes"

	"gopkg.in/yaml.v3"
)

// head is the first line of every lock.
const head = "# What the images of a manifest are. Written by btfbatch lock, which also updates it.\n"

// Text returns the contents of the file. Equal Files have equal texts.
func (f *File) Text() ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(head)
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(f); err != nil {
		return nil, err
	}
	if err := e.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
