package bound

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// count counts the nodes below a node, and the comments.
func count(n *yaml.Node) int {
	sum := 1
	for _, text := range []string{n.HeadComment, n.LineComment, n.FootComment} {
		sum += strings.Count(text, "\n")
		if text != "" {
			sum++
		}
	}
	for _, c := range n.Content {
		sum += count(c)
	}
	return sum
}

// parsed returns the number of nodes of the values of a text, and false if it is not valid.
func parsed(text []byte) (n int, ok bool) {
	defer func() {
		if recover() != nil { // the library panics on some malformed input
			ok = false
		}
	}()
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil || len(doc.Content) == 0 {
		return 0, false
	}
	return count(doc.Content[0]), true
}

var texts = []string{
	"a", "[]", "{}", "[{},{},{}]", "{a,b,c}", "[a, b: c, d]", "[:,:,:]", "[\"a\":b, 'c':d, [e]:f]", "- a\n- b\n-\n-", "a:\nb:\nc: d\n", "? a\n? b\n: c\n", "?\n?\n",
	"- - - a", "- a: b\n  c: [d]\n", "# one\na: b # two\n# three\n", "[a, # x\nb]", "http://example.org/a?b:c", "- \"a, b\"\n", "a: &x [1, 2]\nb: *x\n<<: {c: d}\n",
	"\xff\xfe[\x00,\x00]\x00", "a:\u0085b:\u2028c: d",
}

// TestNodes: the bound is never below the number of nodes, and for a text as people write it not three times as large.
func TestNodes(t *testing.T) {
	for _, text := range texts {
		if n, ok := parsed([]byte(text)); ok && Nodes([]byte(text)) < n {
			t.Errorf("%q: got %d, but there are %d nodes", text, Nodes([]byte(text)), n)
		}
	}
	manifests, err := filepath.Glob(filepath.Join("..", "testdata", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text := []byte(strings.Repeat("- name: debian-6.1.0-18-amd64 # a comment\n  path: https://example.org/pool/vmlinux-6.1.0-18-amd64?x\n  outputs: {btf: \"out/a:b.btf\", dump: x}\n", 100))
	for _, path := range append(manifests, "") {
		if path != "" {
			if text, err = os.ReadFile(path); err != nil {
				t.Fatal(err)
			}
		}
		if n, ok := parsed(text); ok && (Nodes(text) < n || Nodes(text) >= 3*n) {
			t.Errorf("%s: got %d, but there are %d nodes", path, Nodes(text), n)
		}
	}
	if n := testing.AllocsPerRun(10, func() { Nodes(text) }); n > 0 {
		t.Errorf("got %v allocations", n)
	}
}

// FuzzNodes: no text has more nodes than twice the bound; see TestNodes for texts as people write them.
func FuzzNodes(f *testing.F) {
	for _, text := range texts {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if n, ok := parsed(text); ok && n > 2*Nodes(text) {
			t.Errorf("%q: got %d, but there are %d nodes", text, Nodes(text), n)
		}
	})
}
