package main

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/pflag"

	"github.com/btfbatch/btfbatch/cmd/internal/batch"
	"github.com/btfbatch/btfbatch/cmd/internal/locking"
	"github.com/btfbatch/btfbatch/cmd/internal/paths"
	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/config/lock"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/corpus/cache"
)

// A locked says how a command uses the lock of its manifest. The zero value does not look at it.
type locked struct {
	on   bool // --locked: only what the lock has is taken
	look bool // without on: the report says in what images differ from the lock
	note func(text string)
	lock *lock.File // nil if there is none, or if it is not looked at
}

func (l *locked) flags(flags *pflag.FlagSet) {
	flags.BoolVar(&l.on, "locked", false, "take exactly what MANIFEST.lock has; whatever differs is an error; see btfbatch lock")
}

// pin reads the lock. If it is in force, the references of the manifest stand for what it has.
func (l *locked) pin(m *config.Manifest, opt *batch.Options) error {
	if !l.on && !l.look {
		return nil
	}
	path := locking.Path(m.File)
	f, text, err := lock.Read(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && l.on:
		return usage(fmt.Errorf("--locked: there is no %s; btfbatch lock writes it", path))
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil && l.on:
		return usage(err)
	case err != nil:
		l.note(err.Error())
		return nil
	}
	l.lock = f
	if !l.on {
		return nil
	}
	if err := locking.Check(m, f); err != nil {
		return usage(err)
	}
	opt.Manifest.LockSHA256 = cache.Sum(text)
	locking.Pin(m, f, func(string) bool { return false })
	return nil
}

// match compares the items of a manifest with the lock.
func (l *locked) match(m *config.Manifest, items []corpus.Item) []corpus.Item {
	switch {
	case l.lock == nil:
	case l.on:
		return locking.Match(m, l.lock, items)
	default:
		text := locking.Path(m.File) + " is not in force without --locked"
		if more := locking.Note(l.lock, items); more != "" {
			text += ": " + more
		}
		l.note(text)
	}
	return items
}

// uses lists the lock, which no output may replace, whether it is in force, damaged or not written yet.
func (l *locked) uses(manifest string) []paths.Use {
	return []paths.Use{{Path: locking.Path(manifest), Role: paths.Input, What: "the lock"}}
}
