package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A change replaces a piece of one file.
type change struct {
	in       *pkg
	path     string // of the file
	at       string // file from the root, line and column
	from, to int    // the piece, in bytes
	old, new string
}

func (c change) String() string {
	return fmt.Sprintf("%s  %s -> %s", c.at, short(c.old), short(c.new))
}

// short returns a text as one line.
func short(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 60 {
		s = s[:57] + "..."
	}
	if s == "" {
		s = "nothing"
	}
	return s
}

func (c change) apply(text []byte) []byte {
	out := append([]byte{}, text[:c.from]...)
	return append(append(out, c.new...), text[c.to:]...)
}

// opposites maps each operator to its replacement.
var opposites = map[token.Token]string{
	token.LSS: "<=", token.LEQ: "<", token.GTR: ">=", token.GEQ: ">", token.EQL: "!=", token.NEQ: "==",
	token.LAND: "||", token.LOR: "&&",
	token.ADD: "-", token.SUB: "+", token.MUL: "/", token.AND: "|", token.OR: "&", token.SHL: ">>", token.SHR: "<<",
}

// changesOf returns all possible changes of a package, in the order of its files.
func changesOf(root string, p *pkg) (all []change, err error) {
	for _, name := range p.GoFiles {
		path := filepath.Join(p.Dir, name)
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return nil, err
		}
		found, err := changesIn(filepath.ToSlash(rel), text)
		if err != nil {
			return nil, err
		}
		for _, c := range found {
			c.in, c.path = p, path
			all = append(all, c)
		}
	}
	return all, nil
}

// changesIn returns all possible changes of one file.
func changesIn(name string, text []byte) (all []change, err error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, text, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	f := &finder{text: text, file: fset.File(file.Pos())}
	ast.Inspect(file, f.visit)
	return f.all, nil
}

type finder struct {
	text []byte
	file *token.File
	all  []change
}

// replace adds a change of the text between two positions.
func (f *finder) replace(from, to token.Pos, with string) {
	place := f.file.Position(from)
	a, b := f.file.Offset(from), f.file.Offset(to)
	f.all = append(f.all, change{at: fmt.Sprintf("%s:%d:%d", place.Filename, place.Line, place.Column), from: a, to: b,
		old: string(f.text[a:b]), new: with})
}

func (f *finder) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.ImportSpec:
		return false
	case *ast.BinaryExpr:
		if op := opposites[n.Op]; op != "" {
			f.replace(n.OpPos, n.OpPos+token.Pos(len(n.Op.String())), op)
		}
	case *ast.IfStmt:
		f.replace(n.Cond.Pos(), n.Cond.End(), "!("+string(f.text[f.file.Offset(n.Cond.Pos()):f.file.Offset(n.Cond.End())])+")")
	case *ast.BasicLit:
		if v, err := strconv.ParseUint(n.Value, 0, 63); n.Kind == token.INT && err == nil {
			f.replace(n.Pos(), n.End(), strconv.FormatUint(v+1, 10))
		}
	case *ast.ReturnStmt:
		f.results(n)
	case *ast.BlockStmt:
		f.drop(n.List)
	case *ast.CaseClause:
		f.drop(n.Body)
	}
	return true
}

// results inverts returned true and false.
func (f *finder) results(n *ast.ReturnStmt) {
	for _, r := range n.Results {
		switch id, ok := r.(*ast.Ident); {
		case !ok:
		case id.Name == "true":
			f.replace(id.Pos(), id.End(), "false")
		case id.Name == "false":
			f.replace(id.Pos(), id.End(), "true")
		}
	}
}

// drop removes statements with an effect.
func (f *finder) drop(list []ast.Stmt) {
	for _, s := range list {
		switch s := s.(type) {
		case *ast.ExprStmt, *ast.IncDecStmt:
			f.replace(s.Pos(), s.End(), "")
		case *ast.AssignStmt:
			if s.Tok != token.DEFINE {
				f.replace(s.Pos(), s.End(), "")
			}
		}
	}
}
