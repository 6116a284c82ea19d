package main

import (
	"bytes"
	"testing"

	"github.com/btfbatch/btfbatch/cmd/internal/interrupt"
	"github.com/sebdah/goldie/v2"
)

func TestHelp(t *testing.T) {
	commands := []string{""}
	for _, c := range newRoot(nil, new(interrupt.Interrupter)).Commands() {
		commands = append(commands, c.Name())
	}
	for _, name := range commands {
		var b bytes.Buffer
		root := newRoot(nil, new(interrupt.Interrupter))
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
