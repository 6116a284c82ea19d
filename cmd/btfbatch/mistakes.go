package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The texts of cobra and pflag for wrong command lines say what they are about, and not what is expected. This file puts them into other words.

// explainMistakes makes all commands describe wrong flags and arguments.
func explainMistakes(root *cobra.Command) {
	root.SetFlagErrorFunc(wrongFlag)
	root.DisableSuggestions = true // unknownCommand suggests one
	explainArguments(root)
}

func explainArguments(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			err := check(cmd, args)
			if err == nil || !argumentCount.MatchString(err.Error()) {
				return err
			}
			return wrongCount(cmd, args)
		}
	}
	for _, c := range cmd.Commands() {
		explainArguments(c)
	}
}

// argumentCount matches cobra's errors about the number of arguments.
var argumentCount = regexp.MustCompile(`^(accepts|requires) .* arg\(s\),`)

// wrongCount returns the error for a wrong number of arguments.
func wrongCount(cmd *cobra.Command, args []string) error {
	given := "no argument is given"
	switch n := len(args); {
	case n == 1:
		given = fmt.Sprintf("1 argument is given: %s", args[0])
	case n > 1:
		given = fmt.Sprintf("%d arguments are given: %s", n, strings.Join(args[:min(n, 4)], ", "))
		if n > 4 {
			given += ", …"
		}
	}
	return fmt.Errorf("usage: %s; %s", usageOf(cmd), given)
}

// usageOf returns how a command is called: "btfbatch diff A B".
func usageOf(cmd *cobra.Command) string {
	return strings.TrimSuffix(cmd.UseLine(), " [flags]")
}

// wrongFlag returns the error for a flag that cannot be read.
func wrongFlag(cmd *cobra.Command, err error) error {
	if e, ok := errors.AsType[*pflag.NotExistError](err); ok {
		name, short := e.GetSpecifiedName(), e.GetSpecifiedShortnames()
		if f := cmd.Flags().Lookup(short); f != nil && len(short) > 1 { // -format
			return fmt.Errorf("unknown flag: -%s (did you mean --%[1]s?)", short)
		}
		if near := nearestFlag(cmd, name); near != "" && short == "" {
			return fmt.Errorf("unknown flag: --%s (did you mean --%s?)", name, near)
		}
		return fmt.Errorf("%w; %s --help lists the flags", err, cmd.CommandPath())
	}
	if e, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		f := e.GetFlag()
		value, about := pflag.UnquoteUsage(f)
		return fmt.Errorf("--%s needs a value: --%s %s, %s", f.Name, f.Name, value, strings.ReplaceAll(about, "\n", " "))
	}
	if e, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		f, cause := e.GetFlag(), errors.Unwrap(e)
		if _, number := errors.AsType[*strconv.NumError](cause); number {
			cause = errors.New("give a number")
			switch kind := f.Value.Type(); {
			case kind == "bool":
				cause = errors.New("give true or false")
			case strings.HasPrefix(kind, "int"), strings.HasPrefix(kind, "uint"):
				cause = errors.New("give a whole number")
			case kind == "float64": // checkValue refuses others
				cause = errors.New("give a number from 0 to 1")
			}
		} else if f.Value.Type() == "duration" {
			cause = errors.New("give a number with a unit, such as 30s, 5m or 1h30m")
		}
		return fmt.Errorf("--%s %q: %w", f.Name, e.GetValue(), cause)
	}
	return err
}

// nearestFlag returns the flag of a command whose name is most like another one, or "" if none is like it. A part of a name is like it.
func nearestFlag(cmd *cobra.Command, name string) string {
	nearest, least := "", max(2, len(name)/3)+1
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		n := levenshtein.ComputeDistance(name, f.Name)
		if len(name) > 3 && strings.Contains(f.Name, name) {
			n = 1
		}
		if n < least && !f.Hidden {
			nearest, least = f.Name, n
		}
	})
	return nearest
}

// Errors of cobra that have no type.
var (
	unknown  = regexp.MustCompile(`^unknown command "(.*)" for "(.*)"`)
	required = regexp.MustCompile(`^required flag\(s\) (.*) not set$`)
)

// wrongCommand returns the error of cobra for a command line in other words. cmd is the command that was called, as far as it is known.
func wrongCommand(cmd *cobra.Command, err error) error {
	if m := unknown.FindStringSubmatch(err.Error()); m != nil {
		return unknownCommand(cmd, m[1], m[2])
	}
	if m := required.FindStringSubmatch(err.Error()); m != nil {
		var list []string
		for quoted := range strings.SplitSeq(m[1], ", ") {
			name := strings.Trim(quoted, `"`)
			value := ""
			if f := cmd.Flags().Lookup(name); f != nil {
				value, _ = pflag.UnquoteUsage(f)
			}
			list = append(list, "--"+name+" "+value)
		}
		return fmt.Errorf("%s requires %s", cmd.CommandPath(), strings.Join(list, " and "))
	}
	return exclusive(err)
}

// unknownCommand returns the error for a word that is no command.
func unknownCommand(cmd *cobra.Command, word, of string) error {
	nearest, least := "", 3
	for _, c := range cmd.Commands() {
		if n := levenshtein.ComputeDistance(word, c.Name()); n < least && c.IsAvailableCommand() {
			nearest, least = c.Name(), n
		}
	}
	_, err := os.Stat(word)
	switch {
	case !cmd.HasAvailableSubCommands():
		return fmt.Errorf("%s takes no arguments; %q is given", of, word)
	case nearest != "":
		return fmt.Errorf("unknown command %q for %q (did you mean %q?)", word, of, nearest)
	case err == nil:
		return fmt.Errorf("unknown command %q for %q: it is a file, and a command must come before it, such as %s encode, dump or run; %[2]s --help lists them", word, of, of)
	}
	return fmt.Errorf("unknown command %q for %q; %[2]s --help lists the commands", word, of)
}

// calls are the system calls whose names say nothing about a file that cannot be opened.
var calls = []string{"stat", "lstat", "open"}

// withoutCall returns an error without the name of the system call that could not open a file: "a: no such file or directory".
func withoutCall(err error) error {
	p, ok := errors.AsType[*fs.PathError](err)
	if !ok || !slices.Contains(calls, p.Op) {
		return err
	}
	plain := p.Path + ": " + p.Err.Error()
	text := strings.ReplaceAll(err.Error(), p.Error(), plain)
	return &reworded{strings.ReplaceAll(text, p.Path+": "+plain, plain), err}
}

// A reworded is an error with another text.
type reworded struct {
	text  string
	cause error
}

func (e *reworded) Error() string { return e.text }

func (e *reworded) Unwrap() error { return e.cause }
