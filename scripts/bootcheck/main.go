// Command bootcheck boots a real kernel that contains a given BTF, and reports whether the kernel accepts it.
//
// Input: the vmlinux from the debug package of an x86-64 kernel, raw BTF that replaces its own, and the guest program, which is built
// from the folder guest. Output: one line per check, and the exit code: 0 if the kernel accepts the BTF, 1 if it does not or the result
// is unknown, 2 for wrong usage and for BTF that is too long to be tried. Never: it does not change its inputs, and needs no root, disk or
// network. scripts/boot-check.sh builds and calls it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"
)

func main() { os.Exit(run()) }

// A check is one call.
type check struct {
	vmlinux, btf string // files; without btf the kernel keeps its own
	guest        string // program
	work         string // folder
	trim         bool
	machine      machine
	retries      int
}

func run() int {
	var c check
	flag.StringVar(&c.guest, "guest", "", "the guest `program`, a static executable")
	flag.StringVar(&c.work, "work", "", "`folder` for the image and the logs, kept (default a temporary one)")
	flag.BoolVar(&c.trim, "trim", false, "leave out functions where the kernel's section has no room for all")
	flag.StringVar(&c.machine.qemu, "qemu", "qemu-system-x86_64", "the emulator")
	flag.StringVar(&c.machine.accel, "accel", "tcg", "how qemu runs code: tcg everywhere, kvm where that works")
	flag.IntVar(&c.machine.cpus, "cpus", 2, "CPUs of the machine")
	flag.DurationVar(&c.machine.limit, "timeout", 5*time.Minute, "time for one boot")
	flag.IntVar(&c.retries, "retries", 1, "boots after one that did not get as far as the guest program")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: bootcheck -guest PROGRAM [flags] VMLINUX [BTF]")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() < 1 || flag.NArg() > 2 || c.guest == "" {
		flag.Usage()
		return 2
	}
	c.vmlinux, c.btf = flag.Arg(0), flag.Arg(1)
	if c.work == "" {
		dir, err := os.MkdirTemp("", "bootcheck")
		if err != nil {
			fmt.Fprintln(os.Stderr, "bootcheck:", err)
			return 2
		}
		defer os.RemoveAll(dir)
		c.work = dir
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := c.do(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, "bootcheck:", err)
	if errors.Is(err, errTooLong) {
		return 2
	}
	return 1
}

// do creates the image, boots it, and checks the report.
func (c *check) do(ctx context.Context) error {
	k, err := openKernel(c.vmlinux)
	if err != nil {
		return err
	}
	blob := k.btf
	if c.btf != "" {
		if blob, err = os.ReadFile(c.btf); err != nil {
			return err
		}
	}
	if c.trim {
		n := 0
		if blob, n, err = trim(blob, len(k.btf), k.wanted()); err != nil {
			return err
		}
		if n > 0 {
			fmt.Printf("image: %d functions are left out to fit the kernel's section\n", n)
		}
	}
	done, err := k.inject(blob)
	if err != nil {
		return err
	}
	fmt.Println("image:", done)
	guest, err := os.ReadFile(c.guest)
	if err != nil {
		return err
	}
	c.machine.kernel, c.machine.initrd = filepath.Join(c.work, "kernel.elf"), filepath.Join(c.work, "initrd.cpio")
	c.machine.console, c.machine.report = filepath.Join(c.work, "console.log"), filepath.Join(c.work, "report.log")
	if err := os.WriteFile(c.machine.kernel, k.image, 0o644); err != nil {
		return err
	}
	initrd := archive([]entry{{"init", 0o755, guest}, {"expected.btf", 0o444, done.blob}})
	if err := os.WriteFile(c.machine.initrd, initrd, 0o644); err != nil {
		return err
	}
	v, err := c.machine.start(ctx, c.retries)
	if err != nil {
		return err
	}
	return v.judge(os.Stdout)
}
