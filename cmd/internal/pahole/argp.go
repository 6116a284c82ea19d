package pahole

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/btfbatch/btfbatch/golden/report/exitcode"
)

// An argument says whether an option takes an argument.
type argument uint8

const (
	none argument = iota
	required
	optional // only without a space: -j4, --jobs=4
)

// An option is an option of pahole.
type option struct {
	long  string
	short byte // 0: none
	arg   argument
	set   func(s *commandLine, arg string) error // nil: it only changes what pahole prints
}

// A parser reads the options of a command line as argp does. Options and files come in any order, long names may be abbreviated as long as
// they are unambiguous, short options may be grouped, and every argument after "--" is a file.
type parser struct {
	name  string // by which the program was called
	args  []string
	group string // the remaining options of a group of short options
	files []string
}

// next returns the next option and its argument, or nil after the last one. Then files is complete.
func (p *parser) next() (*option, string, error) {
	if p.group != "" {
		return p.short()
	}
	for len(p.args) > 0 {
		arg := p.args[0]
		p.args = p.args[1:]
		switch {
		case arg == "--":
			p.files = append(p.files, p.args...)
			p.args = nil
		case strings.HasPrefix(arg, "--"):
			return p.long(arg[2:])
		case len(arg) > 1 && arg[0] == '-':
			p.group = arg[1:]
			return p.short()
		default:
			p.files = append(p.files, arg)
		}
	}
	return nil, "", nil
}

// short returns the first option of the group.
func (p *parser) short() (*option, string, error) {
	letter, rest := p.group[0], p.group[1:]
	for i := range options {
		o := &options[i]
		if o.short != letter {
			continue
		}
		p.group = ""
		switch {
		case o.arg == none:
			p.group = rest
			return o, "", nil
		case rest != "" || o.arg == optional:
			return o, rest, nil
		case len(p.args) > 0:
			rest, p.args = p.args[0], p.args[1:]
			return o, rest, nil
		}
		return nil, "", p.usage("option requires an argument -- '%c'", letter)
	}
	return nil, "", p.usage("invalid option -- '%c'", letter)
}

// long finds the option for "name" or "name=argument".
func (p *parser) long(text string) (*option, string, error) {
	name, arg, given := strings.Cut(text, "=")
	o, err := p.lookup(name, text)
	switch {
	case err != nil:
		return nil, "", err
	case given && o.arg == none:
		return nil, "", p.usage("option '--%s' doesn't allow an argument", o.long)
	case given || o.arg != required:
		return o, arg, nil
	case len(p.args) == 0:
		return nil, "", p.usage("option '--%s' requires an argument", o.long)
	}
	arg, p.args = p.args[0], p.args[1:]
	return o, arg, nil
}

func (p *parser) lookup(name, text string) (*option, error) {
	var found []*option
	for i := range options {
		o := &options[i]
		if o.long == name {
			return o, nil
		}
		if strings.HasPrefix(o.long, name) {
			found = append(found, o)
		}
	}
	switch len(found) {
	case 0:
		return nil, p.usage("unrecognized option '--%s'", text)
	case 1:
		return found[0], nil
	}
	var names strings.Builder
	for _, o := range found {
		fmt.Fprintf(&names, " '--%s'", o.long)
	}
	return nil, p.usage("option '--%s' is ambiguous; possibilities:%s", text, &names)
}

// usage ends a run whose command line is wrong.
func (p *parser) usage(format string, args ...any) error {
	return usage(p.name, fmt.Sprintf(format, args...))
}

func usage(name, problem string) *stop {
	short := filepath.Base(name)
	return &stop{code: exitcode.PaholeUsage, err: fmt.Sprintf("%s: %s\nTry `%s --help' or `%s --usage' for more information.\n", name, problem, short, short)}
}
