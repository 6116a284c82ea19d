package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/btfbatch/btfbatch/cmd/internal/interrupt"
	"github.com/btfbatch/btfbatch/golden/report"
	"github.com/btfbatch/btfbatch/golden/report/exitcode"
)

// place changes to a temporary folder with what command lines need: an image, raw BTF, a manifest, a folder.
func place(t *testing.T) {
	t.Helper()
	images, err := filepath.Abs(filepath.Join("..", "..", "corpus", "images"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	for name, from := range map[string]string{
		"a.elf": "gcc12-x86_64-dwarf5-based.elf", "a.btf": "gcc12-x86_64-dwarf5-based.btf.golden", "b.btf": "gcc12-arm64-dwarf5-based.btf.golden",
	} {
		data, err := os.ReadFile(filepath.Join(images, from))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const manifest = "version: 1\nimages: [{name: a, path: a.elf, kind: any}]\n"
	if err := os.WriteFile("m.yaml", []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	r := report.New([]string{"a"})
	r.Tool = report.Tool{Name: "btfbatch", Version: "v1"}
	r.Add(report.Row{Name: "a", Types: 1})
	var stored bytes.Buffer
	if err := errors.Join(r.WriteJSON(&stored), os.WriteFile("r.json", stored.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir("folder", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Link("a.btf", filepath.Join("folder", "a.btf")); err != nil {
		t.Fatal(err)
	}
}

// good has a command line that succeeds for every command.
var good = map[string]string{
	"":        "",
	"run":     "run m.yaml",
	"encode":  "encode a.elf -o out.btf",
	"embed":   "embed a.elf -o out.elf",
	"dump":    "dump a.btf",
	"diff":    "diff a.btf a.btf",
	"history": "history bpf_file_get a.btf",
	"golden":  "golden",

	"golden status": "golden status m.yaml",
	"golden show":   "golden show m.yaml --new-goldens folder",
	"golden accept": "golden accept m.yaml --new-goldens folder",
	"golden review": "golden review m.yaml --new-goldens folder",
	"golden prune":  "golden prune m.yaml",
	"golden why":    "golden why a --report r.json",

	"submit": "submit m.yaml --engine slurm --shards 2 --dry-run",

	"report":       "report",
	"report show":  "report show r.json",
	"report merge": "report merge r.json",

	"cache":        "cache",
	"cache info":   "cache info",
	"cache gc":     "cache gc",
	"cache verify": "cache verify",

	"init":       "init a.elf -o -",
	"validate":   "validate m.yaml",
	"sources":    "sources m.yaml",
	"lock":       "lock m.yaml",
	"plan":       "plan m.yaml",
	"explain":    "explain a.elf bpf_file_get",
	"stats":      "stats a.elf",
	"verify":     "verify a.btf",
	"pahole":     "pahole -J --btf_encode_detached=out.btf a.elf",
	"schema":     "schema",
	"man":        "man pages --date 2026-11-30",
	"version":    "version",
	"help":       "help run",
	"completion": "completion bash",
}

// wrong lists, for every flag of every command, values that are wrong. A space separates values; _ is the empty value, ~ a blank.
// A + adds another flag, without which the value would be right. Flags whose values are arbitrary names are wrong only in their form.
var wrong = map[string]string{ //nolint:gosec // no login in it is right
	" --log-format":                           "_ xml ~",
	" --log-level":                            "_ loud fatal",
	" --version":                              "maybe",
	"run --annotations":                       "_ -1 x",
	"init --output":                           "_ ~ m.yaml folder",
	"man --date":                              "_ yesterday 2026-13-01",
	"run --sums":                              "_ ~ folder m.yaml a.elf",
	"run --provenance":                        "_ ~ folder m.yaml a.elf",
	"run --earlier":                           "_ ~ nonexistent m.yaml",
	"run --exceptions":                        "_ nonexistent folder",
	"run --jobs":                              "_ -1 many",
	"run --keep-rejected":                     "maybe",
	"run --disk":                              "_ ~ 0 0GiB -1 20GB 1.5GiB much 99999999999TiB",
	"run --memory":                            "_ ~ 0 0GiB -1 2GB 1.5GiB much 99999999999TiB",
	"run --loss":                              "_ 2 -0.1 NaN Inf 0.1",
	"run --new-goldens":                       "_ folder+--update",
	"run --strict":                            "maybe true",
	"run --only":                              "_ a,,b , nothing",
	"run --retry-failed":                      "_ ~ nonexistent folder m.yaml r.json m.yaml+--only=a",
	"run --previous":                          "_ ~ nonexistent folder m.yaml r.json",
	"run --retry-missing":                     "maybe",
	"run --shard":                             "_ ~ 1 1/1 -1/3 x/3 0/0 0/100001 auto auto/x 0/1+--only=a",
	"run --fail-fast":                         "maybe true+--max-failures=2",
	"run --max-failures":                      "_ -1 x",
	"run --keep-going":                        "maybe true+--fail-fast true+--max-failures=2",
	"run --only-from":                         "_ ~ nonexistent folder m.yaml m.yaml+--only=a",
	"run --no-wait":                           "maybe",
	"run --no-cache":                          "maybe",
	"run --cache":                             "_ ~ folder m.yaml s3://B oci://h/r:tag oci://me:secret@h/r file:///tmp oci://h/r+--no-cache",
	"run --publish":                           "maybe true",
	"run --verify-inputs":                     "maybe true+--no-cache",
	"cache gc --max-size":                     "_ ~ many -1 1.5GiB 9999999TiB GiB",
	"run --part":                              "_ 0 -1 x 1",
	"run --locked":                            "maybe true",
	"lock --allow-shrink":                     "_ -1 x 1+--check",
	"lock --check":                            "maybe true true+--update",
	"lock --format":                           "_ ~ xml Text",
	"lock --jobs":                             "_ -1 many",
	"lock --max-unpacked":                     "_ -1 many",
	"init --max-unpacked":                     "_ -1 many",
	"lock --update":                           "maybe",
	"run --paranoid":                          "maybe",
	"run --profile":                           "_ pahol",
	"run --progress":                          "_ ~ loud tty",
	"run --report":                            "_ pdf json= =x",
	"run --strict-lint":                       "maybe",
	"run --update":                            "maybe",
	"run --verbose":                           "maybe true+--summary-only",
	"run --summary-only":                      "maybe true+-v",
	"run --verify-dedup":                      "maybe",
	"encode --base":                           "_ ~",
	"encode --from":                           "_ ~ deb= zip=a.elf a.elf url=a apt=a/b debuginfod=x",
	"encode --max-unpacked":                   "_ -1 0 many 10",
	"run --max-unpacked":                      "_ -1 many 99999999999999999999",
	"encode --member":                         "_ ~ [ vmlinux",
	"encode --btf-features":                   "_ default,,var , + nothing",
	"encode --distilled":                      "_ x",
	"encode --jobs":                           "_ -2 1.5",
	"encode --keep-rejected":                  "maybe",
	"encode --lang-exclude":                   "_ , rust,,c klingon",
	"encode --list-excluded":                  "maybe",
	"encode --output":                         "_ ~ other",
	"encode --paranoid":                       "maybe",
	"encode --profile":                        "_ Pahole",
	"encode --progress":                       "_ ~ loud tty",
	"encode --like-kernel":                    "maybe",
	"embed --like-kernel":                     "maybe",
	"encode --sort-by-name":                   "maybe",
	"encode --timings":                        "maybe",
	"encode --verify-dedup":                   "maybe",
	"embed --as":                              "_ , 6.1,, latest",
	"embed --base":                            "_",
	"embed --btf":                             "_ a.btf+--jobs=2 a.btf+--profile=pahole a.btf+--btf-features=all a.btf+--paranoid",
	"embed --btf-features":                    "_ all,",
	"embed --distilled":                       "_ x",
	"embed --in-place":                        "maybe true",
	"embed --jobs":                            "_ -1",
	"embed --keep-rejected":                   "maybe",
	"embed --lang-exclude":                    "_ klingon",
	"embed --output":                          "_ other",
	"embed --paranoid":                        "maybe",
	"embed --profile":                         "_ x",
	"embed --progress":                        "_ ~ loud tty",
	"embed --sort-by-name":                    "maybe",
	"embed --verify-dedup":                    "maybe",
	"dump --member":                           "_ ~ [ vmlinux",
	"diff --member":                           "_ ~ [ vmlinux",
	"history --member":                        "_ ~ [ vmlinux",
	"explain --member":                        "_ ~ [ vmlinux",
	"stats --member":                          "_ ~ [ vmlinux",
	"verify --member":                         "_ ~ [ vmlinux",
	"dump --max-unpacked":                     "_ -1 x 10",
	"dump --base-member":                      "_ ~ [ vmlinux",
	"diff --max-unpacked":                     "_ -1 x 10",
	"diff --base-member":                      "_ ~ [ vmlinux",
	"history --max-unpacked":                  "_ -1 x 10",
	"history --base-member":                   "_ ~ [ vmlinux",
	"explain --max-unpacked":                  "_ -1 x 10",
	"stats --max-unpacked":                    "_ -1 x 10",
	"stats --base-member":                     "_ ~ [ vmlinux",
	"verify --max-unpacked":                   "_ -1 x 10",
	"verify --base-member":                    "_ ~ [ vmlinux",
	"embed --max-unpacked":                    "_ -1 x 10",
	"embed --base-member":                     "_ ~ [ vmlinux",
	"encode --base-member":                    "_ ~ [ vmlinux",
	"embed --member":                          "_ ~ [ vmlinux",
	"dump --base":                             "_",
	"dump --format":                           "_ xml selected",
	"dump --pointer-size":                     "_ 0 2 -8 x",
	"dump --select":                           "_ ~ , [+--format=selected struct:+--format=selected task",
	"diff --all":                              "maybe",
	"diff --base":                             "_ ~ a.btf+--old-base=a.btf a.btf+--new-base=a.btf",
	"diff --exact":                            "maybe",
	"diff --fail-on":                          "_ ~ nothing breaks any,break",
	"diff --format":                           "_ ~ xml Text text,json",
	"diff --ignore":                           "_ ~ , struct,,func [ structs,[",
	"diff --limit":                            "_ -1 some",
	"diff --new-base":                         "_ ~ a.btf+--base=b.btf",
	"diff --old-base":                         "_ ~ a.btf+--base=b.btf",
	"diff --only":                             "_ ~ , struct,,func [",
	"diff --verbose":                          "maybe",
	"golden accept --new-goldens":             "_",
	"golden accept --only":                    "_ ~ , nothing [",
	"golden prune --delete":                   "maybe",
	"golden review --new-goldens":             "_",
	"golden review --only":                    "_ ~ , nothing [",
	"golden show --new-goldens":               "_",
	"golden show --only":                      "_ ~ , nothing [",
	"golden show --verbose":                   "maybe",
	"golden why --report":                     "nowhere m.yaml",
	"golden status --new-goldens":             "_",
	"golden status --only":                    "_ ~ , nothing [",
	"history --base":                          "_ ~ , a.btf,,a.btf a.btf,b.btf",
	"history --format":                        "_ ~ xml brief",
	"report show --format":                    "_ ~ xml Text json=x",
	"report show --verbose":                   "maybe true+--summary-only",
	"report show --summary-only":              "maybe true+-v",
	"plan --format":                           "_ ~ xml Text",
	"plan --max":                              "_ -1 x 3 0+--format=json 2+--format=text",
	"plan --per-part":                         "_ ~ 3 5s -5s+--format=json",
	"plan --only":                             "_ nothing a,",
	"plan --profile":                          "_ x",
	"submit --engine":                         "_ ~ sge kubernetes gitlab github",
	"submit --shards":                         "_ 0 -1 x 100001",
	"submit --folder":                         "_ ~",
	"submit --cpus":                           "_ 0 -1 x",
	"submit --mem":                            "_ ~ 0 -1 1 63MiB 2GB much",
	"submit --time":                           "_ -1s 5 59s 2m long",
	"submit --max-parallel":                   "_ -1 x",
	"submit --retries":                        "_ -1 x",
	"submit --pause":                          "_ -1s 5",
	"submit --option":                         "_ ~",
	"submit --image":                          "_ ~",
	"submit --claim":                          "_ ~",
	"submit --user":                           "_ 0 -1 x 1000",
	"submit --env-secret":                     "_ ~ a/b",
	"submit --registry-secret":                "_ ~ a/b",
	"submit --sums":                           "_ ~",
	"submit --provenance":                     "_ ~",
	"submit --with":                           "_ ~ x --nothing --sums=x --shard=0/2 --report=json=x --only=a --jobs=2 --profile",
	"submit --dry-run":                        "maybe true+--wait true+--missing",
	"submit --wait":                           "maybe",
	"submit --missing":                        "maybe",
	"report merge --annotations":              "_ -1 x",
	"report merge --plan":                     "_ ~ nonexistent folder r.json",
	"report merge --manifest":                 "_ ~ nonexistent folder r.json m.yaml+--plan=r.json",
	"report merge --again":                    "_ ~",
	"report merge --report":                   "_ pdf json= =x json=r.json",
	"report merge --sums":                     "_ ~",
	"report merge --provenance":               "_ ~",
	"report merge --verbose":                  "maybe true+--summary-only",
	"report merge --summary-only":             "maybe true+-v",
	"explain --btf-features":                  "_ x",
	"explain --jobs":                          "_ -1",
	"explain --lang-exclude":                  "_ x",
	"explain --list-excluded":                 "maybe true",
	"explain --profile":                       "_ x",
	"sources --format":                        "_ xml",
	"sources --max-unpacked":                  "_ -1 x",
	"stats --base":                            "_",
	"stats --btf-features":                    "_ x",
	"stats --format":                          "_ xml",
	"stats --jobs":                            "_ -1",
	"stats --lang-exclude":                    "_ x",
	"stats --profile":                         "_ x",
	"verify --as":                             "_ latest 4.18 6",
	"verify --base":                           "_ nonexistent a.btf+--path=load",
	"verify --earlier":                        "_ a.btf nonexistent+--lint",
	"verify --lint":                           "maybe",
	"verify --loss":                           "_ 0.1 2+--lint+--earlier=a.btf NaN+--lint+--earlier=a.btf",
	"verify --path":                           "_ side module",
	"verify --pointer-size":                   "_ 0 2 -8 x",
	"verify --strict-lint":                    "maybe",
	"completion bash --no-descriptions":       "maybe",
	"completion zsh --no-descriptions":        "maybe",
	"completion fish --no-descriptions":       "maybe",
	"completion powershell --no-descriptions": "maybe",
}

// commandsAndFlags walks the tree of commands.
func commandsAndFlags(t *testing.T) (commands []string, flags []string) {
	t.Helper()
	root := newRoot(nil, new(interrupt.Interrupter))
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		name := strings.TrimSpace(strings.TrimPrefix(c.CommandPath(), "btfbatch"))
		if c.Parent() == nil || c.Parent().Parent() == nil {
			commands = append(commands, name)
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Name != "help" {
				flags = append(flags, name+" --"+f.Name)
			}
		})
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(root)
	return commands, flags
}

// TestWrongValues: each wrong value is refused with exit code 2 and an error.
func TestWrongValues(t *testing.T) {
	place(t)
	t.Setenv("CI", "")
	_, flags := commandsAndFlags(t)
	for _, flag := range flags {
		values, ok := wrong[flag]
		if !ok {
			t.Errorf("%s: the table has no values that are wrong for it", flag)
			continue
		}
		command, name, _ := strings.Cut(flag, "--")
		command = strings.TrimSpace(command)
		line := good[command]
		if line == "" {
			line = command
		}
		for value := range strings.FieldsSeq(values) {
			value, beside, _ := strings.Cut(value, "+")
			args := append(strings.Fields(line), "--"+name+"="+strings.NewReplacer("_", "", "~", " ").Replace(value))
			if beside != "" {
				args = append(args, strings.Split(beside, "+")...)
			}
			var stdout, stderr bytes.Buffer
			code := run(args, &stdout, &stderr)
			if code != exitcode.Usage || stderr.Len() == 0 || stdout.Len() > 0 {
				t.Errorf("%q: got exit code %d, output %q and error %q, want 2 and an error", args, code, stdout.String(), stderr.String())
			}
		}
	}
	for flag := range wrong {
		if !slices.Contains(flags, flag) {
			t.Errorf("%s: the table has a flag that is gone", flag)
		}
	}
	for _, name := range []string{"out.btf", "out.elf", "other"} {
		if _, err := os.Stat(name); err == nil {
			t.Errorf("%s was written", name)
		}
	}
}

// TestEmptyArguments: an empty argument, such as an unset variable of a script, is refused.
func TestEmptyArguments(t *testing.T) {
	place(t)
	for command, line := range good {
		if command == "pahole" || command == "help" || command == "version" || command == "completion" || command == "" {
			continue
		}
		args, first := strings.Fields(line), len(strings.Fields(command)) // behind the words of the command
		if first == len(args) {
			continue
		}
		args[first] = ""
		var stderr bytes.Buffer
		if code := run(args, io.Discard, &stderr); code != exitcode.Usage || !strings.Contains(stderr.String(), "empty") {
			t.Errorf("%q: got exit code %d and error %q", args, code, stderr.String())
		}
	}
	for _, args := range [][]string{{"help", "nothing"}, {"help", "run", "it"}, {"completion", "tcsh"}, {""}, {"version", ""}} {
		var stderr bytes.Buffer
		if code := run(args, io.Discard, &stderr); code != exitcode.Usage || stderr.Len() == 0 {
			t.Errorf("%q: got exit code %d and error %q", args, code, stderr.String())
		}
	}
}

// TestGivenTwice: a flag that takes one value refuses a second, different one.
func TestGivenTwice(t *testing.T) {
	place(t)
	for line, want := range map[string]int{
		"encode a.elf -o one.btf -o two.btf":              exitcode.Usage,
		"encode a.elf -o one.btf --output one.btf":        exitcode.OK,
		"dump a.btf --format raw --format c":              exitcode.Usage,
		"version --log-format human --log-format json":    exitcode.Usage,
		"verify a.btf --as 6.1 --as 6.12":                 exitcode.Usage,
		"embed a.elf -o two.elf --as 6.1 --as 6.12":       exitcode.OK, // a list
		"encode a.elf -o three.btf --btf-features none":   exitcode.OK,
		"run m.yaml --earlier folder --loss 0.5 --only a": exitcode.OK,
	} {
		var stderr bytes.Buffer
		if code := run(strings.Fields(line), io.Discard, &stderr); code != want {
			t.Errorf("%s: got exit code %d and error %q, want %d", line, code, stderr.String(), want)
		}
	}
	if _, err := os.Stat("two.btf"); err == nil {
		t.Error("two.btf was written")
	}
}
