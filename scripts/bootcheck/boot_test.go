package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestArchive(t *testing.T) {
	got := archive([]entry{{"init", 0o755, []byte("12345")}})
	want := "070701" + "00000001" + "000081ED" + "00000000" + "00000000" + "00000001" + "00000000" + "00000005" +
		strings.Repeat("00000000", 4) + "00000005" + "00000000" + "init\x00\x00" + "12345\x00\x00\x00" +
		"070701" + "00000000" + "00000000" + "00000000" + "00000000" + "00000001" + "00000000" + "00000000" +
		strings.Repeat("00000000", 4) + "0000000B" + "00000000" + "TRAILER!!!\x00\x00\x00\x00"
	if string(got) != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestJudge(t *testing.T) {
	for _, tt := range []struct{ name, report, want string }{
		{"good", "begin 6.1\r\nok one\r\nok two\r\nnote three\r\nend\r\n", ""},
		{"one failed", "begin 6.1\nok one\nFAIL two: why\nend\n", "kernel 6.1: 1 of 2 checks failed"},
		{"breaks off", "begin 6.1\nok one\n", "kernel 6.1: the report ends after 1 checks"},
		{"nothing looked at", "begin 6.1\nnote one\nend\n", "kernel 6.1: nothing was checked"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			got := ""
			if err := readReport(tt.report).judge(&out); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if pass := strings.Contains(out.String(), "PASS kernel 6.1: 2 checks"); pass != (tt.want == "") {
				t.Errorf("got the output %q", out.String())
			}
		})
	}
}

// emulator is a stand-in for qemu that writes reports: one line of script for each boot.
func emulator(t *testing.T, script string) *machine {
	t.Helper()
	dir := t.TempDir()
	m := &machine{qemu: filepath.Join(dir, "qemu"), accel: "tcg", cpus: 1, limit: time.Minute,
		console: filepath.Join(dir, "console"), report: filepath.Join(dir, "report")}
	text := "#!/bin/sh\ncd " + dir + "\necho x >>boots\nn=$(wc -l <boots)\n" + script + "\n"
	if err := os.WriteFile(m.qemu, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestRetry: a boot that does not get as far as the guest is repeated, once; one that does is judged.
func TestRetry(t *testing.T) {
	const good = "printf 'begin 6.1\\nok one\\nend\\n' >report"
	for _, tt := range []struct{ name, script, want, boots string }{
		{"early panic", "[ $n = 2 ] && " + good + " || echo 'Kernel panic' >console", "", "x\nx\n"},
		{"always panics", "echo 'Kernel panic - not syncing' >console", "Kernel panic - not syncing", "x\nx\n"},
		{"refused", "printf 'begin 6.1\\nFAIL one: why\\nend\\n' >report", "1 of 1 checks failed", "x\n"},
		{"qemu fails", "echo no such machine >&2; exit 3", "exit status 3: no such machine", "x\nx\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := emulator(t, tt.script)
			v, err := m.start(context.Background(), 1)
			if err == nil {
				err = v.judge(io.Discard)
			}
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			boots, err := os.ReadFile(filepath.Join(filepath.Dir(m.qemu), "boots"))
			if err != nil || string(boots) != tt.boots {
				t.Errorf("got %q boots, %v, want %q", boots, err, tt.boots)
			}
		})
	}
}

// TestHangs: a machine that does not end has its time.
func TestHangs(t *testing.T) {
	m := emulator(t, "exec sleep 60")
	m.limit = 200 * time.Millisecond
	if _, err := m.boot(context.Background()); !errors.Is(err, errNotStarted) || !strings.Contains(err.Error(), "deadline") {
		t.Errorf("got %v", err)
	}
}
