package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// A machine is one that qemu emulates, without root and without a disk.
type machine struct {
	qemu, accel     string
	cpus            int
	limit           time.Duration
	kernel, initrd  string
	console, report string // files that its serial ports write
}

// errNotStarted is returned for a boot that does not reach the guest program. Under load, the emulated clock causes some kernels to
// panic, independent of the BTF.
var errNotStarted = errors.New("the kernel did not start the guest program")

// args returns the arguments of qemu. The kernel is entered through its PVH note, at its link address.
func (m *machine) args() []string {
	const kernelArgs = "console=ttyS0 panic=-1 nokaslr no_timer_check mitigations=off quiet loglevel=4"
	return []string{
		"-no-user-config", "-nodefaults", "-machine", "q35", "-accel", m.accel, "-cpu", "max", "-m", "768",
		"-smp", strconv.Itoa(m.cpus), "-display", "none", "-no-reboot", "-net", "none",
		"-serial", "file:" + m.console, "-serial", "file:" + m.report,
		"-kernel", m.kernel, "-initrd", m.initrd, "-append", kernelArgs,
	}
}

// start boots, and repeats a boot that does not reach the guest program.
func (m *machine) start(ctx context.Context, retries int) (*verdict, error) {
	for ; ; retries-- {
		v, err := m.boot(ctx)
		if !errors.Is(err, errNotStarted) || retries <= 0 || ctx.Err() != nil {
			return v, err
		}
		fmt.Printf("retry: %v\n", err)
	}
}

// boot boots once and reads the report.
func (m *machine) boot(ctx context.Context) (*verdict, error) {
	start := time.Now()
	ctx, cancel := context.WithTimeout(ctx, m.limit)
	defer cancel()
	for _, path := range []string{m.console, m.report} {
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			return nil, err
		}
	}
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, m.qemu, m.args()...)
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.WaitDelay = 10 * time.Second
	failed := cmd.Run()
	text, err := os.ReadFile(m.report)
	if err != nil {
		return nil, err
	}
	v := readReport(string(text))
	v.wall = time.Since(start)
	if s := cmd.ProcessState; s != nil {
		v.cpu = s.UserTime() + s.SystemTime()
	}
	if v.kernel != "" {
		return v, nil
	}
	why := "it switched itself off"
	switch {
	case ctx.Err() != nil:
		why = ctx.Err().Error()
	case failed != nil:
		why = strings.TrimSpace(failed.Error() + ": " + said.String())
	}
	return nil, fmt.Errorf("%w: %s; its console ends:\n%s", errNotStarted, why, tail(m.console))
}

// tail is the end of a log.
func tail(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.ReplaceAll(strings.TrimSpace(string(data)), "\r", ""), "\n")
	const last = 12
	return "  " + strings.Join(lines[max(0, len(lines)-last):], "\n  ")
}

// A verdict is what the guest reported.
type verdict struct {
	kernel    string
	lines     []string // "ok ...", "FAIL ...", "note ..."
	ended     bool
	wall, cpu time.Duration
}

func readReport(text string) *verdict {
	v := &verdict{}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		switch word, rest, _ := strings.Cut(line, " "); word {
		case "begin":
			v.kernel = rest
		case "end":
			v.ended = true
		case "ok", "FAIL", "note":
			v.lines = append(v.lines, line)
		}
	}
	return v
}

// judge prints the checks. It returns an error unless the report is complete and all checks are ok.
func (v *verdict) judge(w io.Writer) error {
	bad, good := 0, 0
	for _, line := range v.lines {
		fmt.Fprintln(w, line)
		switch {
		case strings.HasPrefix(line, "FAIL"):
			bad++
		case strings.HasPrefix(line, "ok"):
			good++
		}
	}
	switch {
	case bad > 0:
		return fmt.Errorf("kernel %s: %d of %d checks failed", v.kernel, bad, bad+good)
	case !v.ended:
		return fmt.Errorf("kernel %s: the report ends after %d checks", v.kernel, good)
	case good == 0:
		return fmt.Errorf("kernel %s: nothing was checked", v.kernel)
	}
	_, err := fmt.Fprintf(w, "PASS kernel %s: %d checks (%.1f s, %.1f s of CPU)\n", v.kernel, good, v.wall.Seconds(), v.cpu.Seconds())
	return err
}
