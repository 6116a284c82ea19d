package main

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/btfbatch/btfbatch/cmd/internal/settings"
)

// checkFlags refuses values that are never intended, for the flags of all commands. An empty value, usually from an unset variable of a
// script, would otherwise have the meaning of the default, or none.
func checkFlags(flags *pflag.FlagSet) error {
	var problems []error
	flags.Visit(func(f *pflag.Flag) {
		if err := checkValue(f); err != nil {
			problems = append(problems, fmt.Errorf("--%s %w", f.Name, err))
		}
	})
	return errors.Join(problems...)
}

func checkValue(f *pflag.Flag) error {
	if list, ok := f.Value.(pflag.SliceValue); ok {
		words := list.GetSlice()
		if len(words) == 0 || slices.ContainsFunc(words, blank) {
			return errors.New("has an empty element")
		}
		return nil
	}
	text := f.Value.String()
	switch f.Value.Type() {
	case "string":
		if blank(text) {
			return errors.New("is empty")
		}
	case "int":
		if strings.HasPrefix(text, "-") {
			return fmt.Errorf("%s is less than 0", text)
		}
	case "float64":
		if v, err := strconv.ParseFloat(text, 64); err != nil || math.IsNaN(v) || v < 0 || v > 1 {
			return fmt.Errorf("%s is not between 0 and 1", text)
		}
	}
	return nil
}

func blank(s string) bool { return strings.TrimSpace(s) == "" }

// checkArguments refuses empty arguments.
func checkArguments(args []string) error {
	if i := slices.IndexFunc(args, blank); i >= 0 {
		return fmt.Errorf("argument %d is empty", i+1)
	}
	return nil
}

// needs refuses a flag that has no effect without another one.
func needs(cmd *cobra.Command, flag, other string) error {
	if flags := cmd.Flags(); flags.Changed(flag) && !flags.Changed(other) {
		return usage(fmt.Errorf("--%s requires --%s", flag, other))
	}
	return nil
}

// givenOnce makes every flag with a single value refuse a second, different one, which would silently replace the first.
func givenOnce(cmd *cobra.Command) {
	wrap := func(f *pflag.Flag) {
		if _, list := f.Value.(pflag.SliceValue); !list {
			f.Value = &once{Value: f.Value}
		}
	}
	cmd.PersistentFlags().VisitAll(wrap)
	cmd.LocalNonPersistentFlags().VisitAll(wrap)
	for _, c := range cmd.Commands() {
		givenOnce(c)
	}
}

// once is a flag value that can be set once, or several times to the same text.
type once struct {
	pflag.Value
	given bool
	text  string
}

// Set sets the value.
func (o *once) Set(text string) error {
	if o.given && text != o.text {
		return fmt.Errorf("it was given as %q before", o.text)
	}
	o.given, o.text = true, text
	return o.Value.Set(text)
}

// excluding matches cobra's error about flags that exclude each other. Its last group has those that were given.
var excluding = regexp.MustCompile(`^if any flags in the group \[.*\] are set none of the others can be; \[(.*)\] were all set$`)

// exclusive words the error about flags that exclude each other; others stay as they are.
func exclusive(err error) error {
	m := excluding.FindStringSubmatch(err.Error())
	if m == nil {
		return err
	}
	return fmt.Errorf("--%s cannot be used together", strings.Join(strings.Fields(m[1]), " and --"))
}

// noteKernels prints which generations kernels are judged as, if their names are not those of generations.
func (a *app) noteKernels(names ...string) {
	for _, name := range names {
		if note := settings.Note(name); note != "" {
			a.console.Note(note)
		}
	}
}
