// Command bootcheck boots a real kernel with a given BTF inside, and tells what the kernel made of it.
//
// In come the vmlinux of an x86-64 kernel as its debug package has it, raw BTF that replaces its own, and the guest program
// built from the folder below; out come lines of what was checked, and exit code 0 only if the kernel took the BTF. It changes
// neither input, and needs no root, disk or network; scripts/boot-check.sh builds and calls it.
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
	machine      machine
	retries      int
}

func run() int {
	var c check
	flag.StringVar(&c.guest, "guest", "", "the guest `program`, a static executable")
	flag.StringVar(&c.work, "work", "", "`folder` for the image and the logs, kept (default a temporary one)")
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
	if err := c.do(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bootcheck:", err)
		return 1
	}
	return 0
}

// do makes the image, boots it, and judges what was seen.
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
	for try := 0; ; try++ {
		v, err := c.machine.boot(ctx)
		switch {
		case errors.Is(err, errNotStarted) && try < c.retries:
			fmt.Printf("retry: %v\n", err)
			continue
		case err != nil:
			return err
		}
		return v.judge(os.Stdout)
	}
}
