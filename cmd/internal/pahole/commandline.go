package pahole

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/cmd/internal/settings"
	"github.com/btfbatch/btfbatch/cmd/internal/standin/atonce"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/rules"
	"github.com/btfbatch/btfbatch/golden/escape"
	"github.com/btfbatch/btfbatch/golden/report/exitcode"
)

// A commandLine holds the settings of a command line. The options change it one after another.
type commandLine struct {
	peer     rules.Set // the rules of pahole that are in force
	files    []string
	encode   bool
	detached *string // the file for raw BTF; nil: the BTF goes into the image
	base     *string
	format   string // list of formats to read
	workers  int

	features feature.Set
	listed   bool // a list of features was given, which replaces the defaults

	langs       *string // the last list applies
	exclude     bool    // after the first --lang_exclude, every list is one of languages to leave out
	langExclude []encoder.Language

	unitExclude []string // the last prefix applies
	namePrefix  string
	plainFields bool

	verbose, numeric bool
	stderr           io.Writer

	want settings.Settings // the result
}

// plain returns the features of pahole -J without a list (rule 02/3). Older kernels call it this way (rule 02/3.1).
func plain() feature.Set {
	return feature.Of(feature.Var, feature.DeclTag, feature.TypeTag, feature.Enum64)
}

// parse reads a command line. If the error is a *stop, the program prints its text and exits.
func parse(name string, args []string, stderr io.Writer) (*commandLine, error) {
	return parseBy(rules.Pahole, name, args, stderr)
}

// parseBy is parse with a subset of pahole's rules.
func parseBy(peer rules.Set, name string, args []string, stderr io.Writer) (*commandLine, error) {
	s := &commandLine{peer: peer, features: plain(), workers: 1, format: "dwarf", stderr: stderr}
	p := parser{name: name, args: args}
	for {
		o, arg, err := p.next()
		if err != nil {
			return nil, err
		}
		if o == nil {
			break
		}
		if o.set == nil {
			continue
		}
		if err := o.set(s, arg); err != nil {
			return nil, err
		}
	}
	s.files = p.files
	// Below this line no option is read.
	if err := s.languages(); err != nil {
		return nil, err
	}
	var err error
	asked := settings.Pahole{Features: s.features, LangExclude: s.langExclude, UnitExclude: s.unitExclude, NamePrefix: s.namePrefix,
		PlainFields: s.plainFields, Kernels: kernels(), RulesOff: rules.Pahole &^ peer}
	if s.want, err = asked.Settings(); err != nil {
		return nil, usage(name, fmt.Sprintf("%s: %s", verifyVariable, escape.Line(err.Error())))
	}
	switch {
	case s.numeric:
		return nil, &stop{code: exitcode.OK, out: atonce.NumericVersion + "\n"}
	case !s.encode:
		return nil, usage(name, "without -J, pahole prints types, which btfbatch does not do; use -J to encode BTF, or btfbatch dump to print it")
	case s.format != "dwarf":
		return nil, usage(name, "btfbatch reads only the format dwarf, not "+s.format)
	case len(s.files) == 0:
		return nil, usage(name, "no file to encode; name at least one ELF file with DWARF")
	}
	return s, nil
}

const ignoring = "Ignoring unsupported feature '%s'\n"

// maxList is the number of bytes of a list that pahole reads.
const maxList = 1024

// list switches features on. The first list of a command line switches all others off.
func (s *commandLine) list(text string, strict bool) error {
	if !s.listed {
		s.features, s.listed = feature.None, true
	}
	whole := text
	text, plus := strings.CutPrefix(text, "+")
	if plus {
		s.features |= feature.Default()
	}
	text = text[:min(len(text), maxList)]
	for name := range strings.SplitSeq(text, ",") {
		set, err := feature.FromNames([]string{name})
		switch {
		case err == nil && name == strings.TrimSpace(name):
			s.features |= set
			if s.verbose && s.ignoredSet(name, whole) {
				fmt.Fprintf(s.stderr, ignoring, escape.Line(name))
			}
		case strict:
			return failf("Feature '%s' in '%s' is not supported.  Supported BTF features are:\n%s", name, text, supported())
		case s.verbose:
			fmt.Fprintf(s.stderr, ignoring, escape.Line(name))
		}
	}
	return nil
}

// jobs sets the number of workers from the leading digits of the argument. If there are none, or if they are zero, it is one.
func (s *commandLine) jobs(arg string) error {
	s.workers = cmp.Or(Processors, runtime.GOMAXPROCS(0))
	if arg == "" {
		return nil
	}
	n := 0
	for i := 0; i < len(arg) && arg[i] >= '0' && arg[i] <= '9' && n < s.workers; i++ {
		n = 10*n + int(arg[i]-'0')
	}
	s.workers = max(1, min(n, s.workers)) // more workers than processors would only cost memory
	return nil
}

// kabi sets the prefix to which all names that begin with it are cut. With an empty prefix every name would be empty, and encoding would
// end with an error at the first type that needs a name.
func (s *commandLine) kabi(prefix string) error {
	if prefix == "" {
		return failf("pahole: the argument of --kabi_prefix is empty, which would remove all names; give a prefix such as __kabi_")
	}
	s.namePrefix = prefix
	return nil
}

// languages determines the languages to leave out. Only the last list applies. If any list was given with --lang_exclude, the last one is
// read as such a list too.
func (s *commandLine) languages() error {
	if s.langs == nil {
		env, ok := os.LookupEnv("PAHOLE_LANG_EXCLUDE")
		if !ok {
			return nil
		}
		s.langs, s.exclude = &env, true
	}
	var named []encoder.Language
	for rest, more := *s.langs, true; more; {
		var name string
		list := rest
		name, rest, more = strings.Cut(rest, ",")
		code, err := encoder.ParseLanguage(name)
		if err != nil {
			return failf("pahole: unknown language \"%s\"", list)
		}
		named = append(named, code)
	}
	if s.langExclude = named; !s.exclude {
		s.langExclude = allBut(named)
	}
	return nil
}

// allBut returns all codes that a DWARF language can have, except those in keep.
func allBut(keep []encoder.Language) []encoder.Language {
	const last = 0xffff // DW_LANG_hi_user
	left := make([]encoder.Language, 0, last+1)
	for code := encoder.Language(0); code <= last; code++ {
		if !slices.Contains(keep, code) {
			left = append(left, code)
		}
	}
	return left
}
