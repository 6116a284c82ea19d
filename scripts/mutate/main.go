// Command mutate makes one change at a time to the product code and checks whether a test fails.
//
// Input: the checkout that it runs in, and names of packages, by default all. Output: a line on standard output for each change, with
// the package whose tests failed, and at the end the changes that no test noticed. Never: it does not change a file of the tree; the go
// command reads the changed file from another folder (-overlay).
//
// The seed (-seed) determines which changes are tried, so a run can be repeated. -only repeats single changes of it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

func main() {
	opt := options{out: os.Stdout}
	flag.IntVar(&opt.count, "n", 100, "how many `changes` to try")
	flag.Uint64Var(&opt.seed, "seed", 1, "what the choice depends on")
	flag.DurationVar(&opt.timeout, "timeout", 3*time.Minute, "how long the tests of one package may run: a change that hangs them is noticed")
	flag.BoolVar(&opt.near, "near", false, "ask the tests of the changed room alone, where it has any, and not those of the rooms that use it")
	flag.StringVar(&opt.skip, "skip", "", "leave out tests whose names match this `pattern`, as go test does")
	only := flag.String("only", "", "try those changes of the choice whose line matches this `pattern`")
	flag.Usage = func() {
		fmt.Fprintf(flag.CommandLine.Output(), "usage: go run ./scripts/mutate [flags] [ROOM...]\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	survivors, err := opt.run(ctx, *only, flag.Args())
	stop()
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(2)
	case survivors > 0:
		os.Exit(1)
	}
}

type options struct {
	out     io.Writer
	count   int
	seed    uint64
	timeout time.Duration
	near    bool
	skip    string
}

func (opt *options) run(ctx context.Context, only string, rooms []string) (survivors int, err error) {
	pattern, err := regexp.Compile(only)
	if err != nil {
		return 0, err
	}
	t, err := load(ctx)
	if err != nil {
		return 0, err
	}
	chosen, err := opt.choose(t, rooms)
	if err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	count := map[string]int{}
	var left []string
	sound := map[string]bool{}
	for _, queue := range chosen {
		for tried := 0; tried < queue.wanted && len(queue.changes) > 0; {
			c := queue.changes[0]
			queue.changes = queue.changes[1:]
			if !pattern.MatchString(c.String()) {
				tried++
				continue
			}
			asked := t.asked(c.in, opt.near)
			if err := t.pass(ctx, asked, sound, opt); err != nil {
				return 0, err
			}
			verdict, by, err := t.try(ctx, dir, c, asked, opt)
			if err != nil {
				return 0, err
			}
			if count[verdict]++; verdict == invalid {
				continue // and another one in its place
			}
			tried++
			line := strings.TrimRight(fmt.Sprintf("%-8s %s  %s", verdict, c, by), " ")
			fmt.Fprintln(opt.out, line)
			if verdict == survived {
				left = append(left, line)
			}
		}
	}
	fmt.Fprintf(opt.out, "\n%d noticed, %d survived (%d more do not compile)\n", count[noticed], count[survived], count[invalid])
	for _, line := range left {
		fmt.Fprintln(opt.out, line)
	}
	return len(left), nil
}

// A queue holds the changes of a package in random order, and how many of them to try.
type queue struct {
	changes []change
	wanted  int
}

// choose distributes the changes over the packages in proportion to their possible changes, at least two each.
func (opt *options) choose(t *tree, rooms []string) ([]*queue, error) {
	for _, r := range rooms {
		if !slices.ContainsFunc(t.rooms, func(p *pkg) bool { return p.room == filepath.ToSlash(filepath.Clean(r)) }) {
			return nil, fmt.Errorf("%s is not a package with product code", r)
		}
	}
	var all []*queue
	total := 0
	for _, p := range t.rooms {
		if len(rooms) > 0 && !slices.Contains(rooms, p.room) {
			continue
		}
		changes, err := changesOf(t.root, p)
		if err != nil {
			return nil, err
		}
		rng := rand.New(rand.NewPCG(opt.seed, uint64(len(p.room)))) // a choice that can be repeated
		rng.Shuffle(len(changes), func(i, j int) { changes[i], changes[j] = changes[j], changes[i] })
		all = append(all, &queue{changes: changes})
		total += len(changes)
	}
	if total == 0 {
		return nil, errors.New("there is nothing to change")
	}
	for _, q := range all {
		q.wanted = max(2, opt.count*len(q.changes)/total)
	}
	return all, nil
}
