package golden

import (
	"bytes"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/golden/cause"
	"github.com/btfbatch/btfbatch/golden/show"
)

// TestRenamed: a declaration is recognised under another name by its content if that is not too small and occurs only once on either side, in both
// directions.
func TestRenamed(t *testing.T) {
	list := func(name string, id int) string { // with a pointer to itself
		return "STRUCT '" + name + "' size=16 vlen=3|'a' type_id=1 bits_offset=0|'b' type_id=1 bits_offset=32|'next' type_id=" + string(rune('0'+id+1)) +
			" bits_offset=64§PTR '(anon)' type_id=" + string(rune('0'+id))
	}
	object := func(text ...string) *btf.Object {
		return parse(t, types(strings.Split(intType+"§"+strings.Join(text, "§"), "§")...))
	}
	fn := func(name, last string) string {
		return "FUNC_PROTO '(anon)' ret_type_id=1 vlen=4|'a' type_id=1|'b' type_id=1|'c' type_id=1|'" + last + "' type_id=1§FUNC '" + name + "' type_id=2 linkage=static"
	}
	enum := func(name, last string) string {
		return "ENUM '" + name + "' encoding=UNSIGNED size=4 vlen=3|'A' val=0|'B' val=1|'" + last + "' val=2"
	}
	small := func(name string) string {
		return "STRUCT '" + name + "' size=8 vlen=2|'a' type_id=1 bits_offset=0|'b' type_id=1 bits_offset=32"
	}
	for _, tt := range []struct {
		name     string
		old, new *btf.Object
		want     string
	}{
		{"struct", object(list("task", 2)), object(list("job", 2)), "struct task → job"},
		{"name in another name", object(list("a", 2)), object(list("job", 2)), "struct a → job"},
		{"two candidates", object(list("task", 2)), object(list("job", 2), list("other", 4)), ""},
		{"two origins", object(list("task", 2), list("other", 4)), object(list("job", 2)), ""},
		{"one of them stays", object(list("task", 2), list("other", 4)), object(list("job", 2), list("other", 4)), "struct task → job"},
		{"function", object(fn("f", "d")), object(fn("g", "d")), "func f → g"},
		{"another parameter", object(fn("f", "d")), object(fn("g", "e")), ""},
		{"enum", object(enum("e", "C")), object(enum("f", "C")), "enum e → f"},
		{"another enumerator", object(enum("e", "C")), object(enum("f", "D")), ""},
		{"too small", object(small("s")), object(small("t")), ""},
	} {
		compare := func(old, new *btf.Object) (pairs, text string) {
			c := cause.Compare(cause.Input{Object: old}, cause.Input{Object: new}, cause.Options{})
			var list []string
			from := map[string]string{}
			for _, x := range c.Causes {
				if x.RenamedFrom != "" {
					from[x.RenamedFrom] = x.Name
				}
			}
			for _, x := range c.Causes {
				if x.RenamedTo != "" {
					list = append(list, string(x.Kind)+" "+x.Name+" → "+x.RenamedTo)
					if from[x.Name] != x.RenamedTo {
						t.Errorf("%s: %s is renamed to %s, which comes from %v", tt.name, x.Name, x.RenamedTo, from)
					}
				}
			}
			if len(from) != len(list) {
				t.Errorf("%s: got %v and %v", tt.name, from, list)
			}
			var b bytes.Buffer
			if err := show.Text(&b, c, show.Options{}); err != nil {
				t.Fatal(err)
			}
			return strings.Join(list, ", "), b.String()
		}
		got, text := compare(tt.old, tt.new)
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
		if shown := strings.Contains(text, "renamed, with the same content\n~ "+tt.want); shown != (tt.want != "") {
			t.Errorf("%s: the text is\n%s", tt.name, text)
		}
		if back, _ := compare(tt.new, tt.old); (back == "") != (tt.want == "") {
			t.Errorf("%s: the other way round: got %q", tt.name, back)
		}
	}
}
