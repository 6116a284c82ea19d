package main

import (
	"bytes"
	"testing"

	"github.com/sebdah/goldie/v2"
)

func TestHelp(t *testing.T) {
	commands := []string{""}
	for _, c := range newRoot(nil, new(interrupter)).Commands() {
		commands = append(commands, c.Name())
	}
	for _, name := range commands {
		var b bytes.Buffer
		root := newRoot(nil, new(interrupter))
		root.SetOut(&b)
		args, file := []string{name, "--help"}, "help-"+name
		if name == "" {
			args, file = args[1:], "help"
		}
		root.SetArgs(args)
		if err := root.Execute(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		goldie.New(t).Assert(t, file, b.Bytes())
	}
}
