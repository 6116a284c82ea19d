package pahole

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/cmd/internal/settings"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/rules"
	"github.com/btfbatch/btfbatch/golden/escape"
	"github.com/btfbatch/btfbatch/golden/report/exitcode"
)

// A commandLine is what a command line asks for. Its options act on it one after the other.
type commandLine struct {
	peer     rules.Set // the rules of the reference that hold
	files    []string
	encode   bool
	detached *string // where raw BTF goes, nil: into the image
	base     *string
	format   string // list of formats to read
	workers  int

	features feature.Set
	listed   bool // a list of features was given, so that the plain defaults are gone

	langs       *string // the last list wins
	exclude     bool    // once asked for, lists leave out
	langExclude []encoder.Language

	unitExclude []string // the last prefix wins
	namePrefix  string
	plainFields bool

	verbose, numeric bool
	stderr           io.Writer

	want settings.Settings // what all that comes to
}

// plain are the features of pahole -J without any list (rule 02/3), as older kernels call it (rule 02/3.1).
func plain() feature.Set {
	return feature.Of(feature.Var, feature.DeclTag, feature.TypeTag, feature.Enum64)
}

// parse reads a command line; a *stop is all that there is to do.
func parse(name string, args []string, stderr io.Writer) (*commandLine, error) {
	return parseBy(rules.Pahole, name, args, stderr)
}

// parseBy is parse by other rules of the reference than all.
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
		return nil, &stop{code: exitcode.OK, out: numericVersion + "\n"}
	case !s.encode:
		return nil, usage(name, "btfbatch stands in for pahole -J alone: it makes BTF and prints no types")
	case s.format != "dwarf":
		return nil, usage(name, "btfbatch reads no format but dwarf, not "+s.format)
	case len(s.files) == 0:
		return nil, usage(name, "no file to encode is given")
	}
	return s, nil
}

const ignoring = "Ignoring unsupported feature '%s'\n"

// maxList is how many bytes of a list count.
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

// jobs sets the number of workers: the digits in front count, none of them or zero is one worker.
func (s *commandLine) jobs(arg string) error {
	s.workers = runtime.GOMAXPROCS(0)
	if arg == "" {
		return nil
	}
	n := 0
	for i := 0; i < len(arg) && arg[i] >= '0' && arg[i] <= '9' && n < s.workers; i++ {
		n = 10*n + int(arg[i]-'0')
	}
	s.workers = max(1, min(n, s.workers)) // more than processors would only cost memory
	return nil
}

// kabi takes the prefix that stands for all names that begin with it. With an empty one nothing would have a name, which is an
// error of the first type that needs one.
func (s *commandLine) kabi(prefix string) error {
	if prefix == "" {
		return failf("pahole: the argument of --kabi_prefix is empty, which would leave nothing with a name")
	}
	s.namePrefix = prefix
	return nil
}

// languages works out which languages are left out. All lists share one place; if one of them leaves out, so does the last.
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

// allBut are all codes that a DWARF language can have, but those of a list.
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
