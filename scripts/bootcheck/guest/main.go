//go:build linux

// Command guest is the only process of a kernel that is booted to test a BTF. It checks how the kernel uses the BTF.
//
// Input: the BTF of the kernel, as /expected.btf in the initial file system. Output: lines on the second serial port between "begin"
// and "end", each with "ok", "FAIL" or "note" and the name of the check. Never: it needs nothing but the kernel. At the end it switches
// the machine off.
package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// The second serial port, because the kernel's messages could interrupt a line on the first.
const (
	reportPath  = "/report"
	reportMajor = 4
	reportMinor = 65
)

func main() {
	defer func() { _ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF) }()
	if err := examine(); err != nil {
		fmt.Fprintln(os.Stderr, "guest:", err) // on the console; the report has no end
	}
}

// A guest writes the report.
type guest struct {
	w io.Writer
	o *btf.Object
}

func (g *guest) ok(format string, args ...any)   { fmt.Fprintf(g.w, "ok "+format+"\n", args...) }
func (g *guest) note(format string, args ...any) { fmt.Fprintf(g.w, "note "+format+"\n", args...) }

// fail reports an error, which may have several lines of the verifier's log.
func (g *guest) fail(what string, err error) {
	fmt.Fprintf(g.w, "FAIL %s: %s\n", what, strings.Join(strings.Fields(err.Error()), " "))
}

func examine() error {
	for path, kind := range map[string]string{"/proc": "proc", "/sys": "sysfs"} {
		if err := os.MkdirAll(path, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(kind, path, kind, 0, ""); err != nil {
			return fmt.Errorf("mount %s: %w", path, err)
		}
	}
	if err := unix.Mknod(reportPath, unix.S_IFCHR|0o600, int(unix.Mkdev(reportMajor, reportMinor))); err != nil {
		return fmt.Errorf("mknod %s: %w", reportPath, err)
	}
	w, err := os.OpenFile(reportPath, os.O_WRONLY|unix.O_NOCTTY, 0)
	if err != nil {
		return err
	}
	defer w.Close()
	g := &guest{w: w}
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "begin %s", release)
	expected, err := os.ReadFile("/expected.btf")
	if err != nil {
		return err
	}
	if g.o, err = btf.Parse(expected, nil); err != nil {
		return err
	}
	g.sysfs(expected)
	g.programs()
	g.objects(expected)
	g.messages()
	fmt.Fprintln(w, "end")
	return nil
}

// sysfs compares the BTF in sysfs with the expected BTF.
func (g *guest) sysfs(expected []byte) {
	const what = "/sys/kernel/btf/vmlinux"
	served, err := os.ReadFile(what)
	switch {
	case err != nil:
		g.fail(what, err)
	case !bytes.Equal(served, expected):
		g.fail(what, fmt.Errorf("%d bytes, not the %d bytes that were put into the image", len(served), len(expected)))
	default:
		g.ok("%s is the BTF that was put into the image, %d bytes", what, len(served))
	}
}

// complaint matches messages of a kernel that refuses BTF or misses something in it.
var complaint = regexp.MustCompile(`BPF: |BTF mismatch|failed to validate|[Cc]annot find (struct|the stub)|missing (vmlinux|module) BTF|` +
	`number of .* members should be|kfunc|WARNING:|in-kernel BTF`)

// messages reads the kernel's log.
func (g *guest) messages() {
	const readAll = 3
	log := make([]byte, 1<<20)
	n, err := unix.Klogctl(readAll, log)
	if err != nil {
		g.fail("kernel log", err)
		return
	}
	bad := 0
	for line := range strings.Lines(string(log[:n])) {
		if complaint.MatchString(line) {
			g.fail("kernel log", fmt.Errorf("%s", line))
			bad++
		}
	}
	if bad == 0 {
		g.ok("kernel log has no complaint about BTF in %d lines", strings.Count(string(log[:n]), "\n"))
	}
}
