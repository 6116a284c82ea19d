package store

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

// A memory has objects in memory, and misbehaves if told to.
type memory struct {
	objects map[string]string
	log     []string // PUT, DELETE and the name
	damage  int      // objects that are damaged when they are written
	other   string   // what another process writes first
}

func (m *memory) At(name string) string { return "memory://" + name }

func (m *memory) Put(_ context.Context, f *File, replace bool) error {
	if m.other != "" {
		m.objects[f.Name], m.other = m.other, ""
	}
	if _, there := m.objects[f.Name]; there && !replace {
		return ErrExists
	}
	r, err := f.Open()
	if err != nil {
		return err
	}
	data, err := io.ReadAll(r)
	if m.damage > 0 {
		m.damage--
		data = append(data, 'x')
	}
	m.objects[f.Name] = string(data)
	m.log = append(m.log, "PUT "+f.Name)
	return err
}

func (m *memory) Read(_ context.Context, name string, use func(io.Reader) error) error {
	text, ok := m.objects[name]
	if !ok {
		return ErrAbsent
	}
	return use(strings.NewReader(text))
}

func (m *memory) Sum(ctx context.Context, name string) (string, error) { return ReadSum(ctx, m, name) }

func (m *memory) Remove(_ context.Context, name string) error {
	delete(m.objects, name)
	m.log = append(m.log, "DELETE "+name)
	return nil
}

func artifact(contents string) *Artifact {
	return &Artifact{Name: "a", Files: []File{
		Bytes("a.btf", "btf", []byte(contents)), Bytes("a.txt", "dump", []byte("text")), Bytes("a.json", KindEvidence, []byte("evidence of "+contents)),
	}}
}

func TestInObjects(t *testing.T) {
	sums := func(contents string) string { return string(artifact(contents).Sums()) }
	published := func(contents string) map[string]string {
		return map[string]string{"a.btf": contents, "a.txt": "text", "a.json": "evidence of " + contents, "a.btf.sha256sums": sums(contents)}
	}
	without := func(m map[string]string, names ...string) map[string]string {
		for _, name := range names {
			delete(m, name)
		}
		return m
	}
	const all = "PUT a.btf, PUT a.txt, PUT a.json, PUT a.btf.sha256sums"
	for _, row := range []struct {
		name    string
		there   map[string]string
		replace bool
		damage  int
		other   string
		state   State
		log     string
		err     any // *ChangedError, *DigestError or nil
	}{
		{"nothing", nil, false, 0, "", New, all, nil},
		{"the same", published("1"), false, 0, "", There, "", nil},
		{"the same with replace", published("1"), true, 0, "", There, "", nil},
		{"half", without(published("1"), "a.txt", "a.btf.sha256sums"), false, 0, "", New, "PUT a.txt, PUT a.btf.sha256sums", nil},
		{"a file that somebody removed", without(published("1"), "a.txt"), false, 0, "", There, "PUT a.txt", nil},
		{"evidence of an earlier version, half", map[string]string{"a.json": "other"}, false, 0, "", New, all, nil},
		{"other contents", published("2"), false, 0, "", "", "", new(*ChangedError)},
		{"other contents, half", map[string]string{"a.btf": "2"}, false, 0, "", "", "", new(*ChangedError)},
		{"other contents, replaced", published("2"), true, 0, "", Replaced, "DELETE a.btf.sha256sums, PUT a.btf, PUT a.json, PUT a.btf.sha256sums", nil},
		{"other contents under the sums", map[string]string{"a.btf": "2", "a.txt": "text", "a.btf.sha256sums": sums("1")}, false, 0, "", "", "", new(*ChangedError)},
		{"another process with the same", nil, false, 0, "1", New, "PUT a.txt, PUT a.json, PUT a.btf.sha256sums", nil},
		{"another process with others", nil, false, 0, "2", "", "", new(*ChangedError)},
		{"damaged once", nil, false, 1, "", New, "PUT a.btf, " + all, nil},
		{"damaged again", nil, false, 2, "", "", "PUT a.btf, PUT a.btf", new(*DigestError)},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := &memory{objects: row.there, damage: row.damage, other: row.other}
			if m.objects == nil {
				m.objects = map[string]string{}
			}
			indexed := m.objects["a.btf.sha256sums"] != ""
			r, err := InObjects{m}.Publish(context.Background(), artifact("1"), row.replace)
			log := strings.Join(m.log, ", ")
			if log != row.log {
				t.Errorf("got %s, want %s", log, row.log)
			}
			if row.err != nil {
				if err == nil || !errors.As(err, row.err) {
					t.Errorf("got %v", err)
				}
				if (m.objects["a.btf.sha256sums"] != "") != indexed {
					t.Error("a file of sums was written or removed")
				}
				return
			}
			if err != nil || r.State != row.state || r.At != "memory://a.btf.sha256sums" {
				t.Fatalf("got %+v, %v", r, err)
			}
			for name, want := range published("1") {
				if m.objects[name] != want && (name != "a.json" || row.state == New) {
					t.Errorf("%s: got %q, want %q", name, m.objects[name], want)
				}
			}
			if sum, _, _ := SumOf(strings.NewReader(m.objects["a.btf.sha256sums"])); sum != r.SHA256 {
				t.Errorf("the receipt has another digest than the file of sums")
			}
		})
	}
}

// Evidence that differs where nothing else does stays as it was published first.
func TestEvidenceStays(t *testing.T) {
	m := &memory{objects: map[string]string{}}
	if _, err := (InObjects{m}).Publish(context.Background(), artifact("1"), false); err != nil {
		t.Fatal(err)
	}
	later := artifact("1")
	later.Files[2] = Bytes("a.json", KindEvidence, []byte("of a later version"))
	before := m.objects["a.btf.sha256sums"]
	r, err := InObjects{m}.Publish(context.Background(), later, false)
	if err != nil || r.State != There || m.objects["a.json"] != "evidence of 1" || m.objects["a.btf.sha256sums"] != before {
		t.Errorf("got %+v, %v, %q", r, err, m.objects)
	}
}

// The sums are in the order of the names, as sha256sum prints them.
func TestSums(t *testing.T) {
	a := &Artifact{Files: []File{Bytes("b", "btf", []byte("1")), Bytes("a", "dump", []byte("2"))}}
	lines := slices.Collect(bytes.Lines(a.Sums()))
	if a.SumsName() != "b.sha256sums" || len(lines) != 2 || string(lines[0]) != a.Files[1].SHA256+"  a\n" || string(lines[1]) != a.Files[0].SHA256+"  b\n" {
		t.Errorf("%s: %q", a.SumsName(), lines)
	}
}

func TestChangedError(t *testing.T) {
	for _, row := range []struct{ have, want, says string }{
		{"1  a", "2  a", "a: sha256 1 there, 2 here"}, {"", "2  a", "a is not there"}, {"1  a", "", "a is there and not here"},
	} {
		err := &ChangedError{"x", strings.FieldsFunc(row.have, func(r rune) bool { return r == ',' }), strings.FieldsFunc(row.want, func(r rune) bool { return r == ',' })}
		if !strings.Contains(err.Error(), row.says) {
			t.Errorf("got %v, want %q", err, row.says)
		}
	}
}
