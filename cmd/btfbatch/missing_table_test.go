//go:build unix

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/golden/report"
	"github.com/btfbatch/btfbatch/golden/report/exitcode"
)

// with adds inputs to others.
func with(inputs ...map[string]given) map[string]given {
	all := map[string]given{}
	for _, more := range inputs {
		maps.Copy(all, more)
	}
	return all
}

var (
	logs     = map[string]given{"--log-format": {kind: takesWord, value: "human"}, "--log-level": {kind: takesWord, value: "info"}}
	encoding = with(logs, map[string]given{"--jobs": {kind: takesNumber, value: "1"}, "--profile": {kind: takesWord, value: "default"}})
	batches  = with(encoding, map[string]given{"--progress": {kind: takesWord, value: "plain"}})
	features = map[string]given{"--btf-features": {kind: takesWord, value: "default,distilled_base"}, "--lang-exclude": {kind: takesWord, value: "rust"}}
	image    = given{kind: readsFile, value: "image.elf"}
	module   = given{kind: readsFile, value: "module.ko"}
	base     = given{kind: readsFile, value: "base.btf"}
	split    = given{kind: readsFile, value: "split.btf"}
	packed   = given{kind: readsFile, value: "btf.deb"} // with a module that has BTF
	member   = given{kind: takesText, value: "**/driver.ko"}
	unpacked = given{kind: takesNumber, value: "100"}
	inBase   = map[string]given{"--base": {kind: readsFile, value: "base.deb"}, "--base-member": {kind: takesText, value: "**/base.btf"}}
)

// table returns calls that succeed, with every input of every command. A command may have several calls.
func table() []trial {
	// btfbatch pahole accepts what pahole accepts.
	any, list := map[string]string{}, map[string]string{"empty": "(none)", "comma": "(none)"}
	for _, s := range statesOf[takesWord] {
		any[s.name] = "(none that is known)"
	}
	jobs := map[string]string{"empty": "(one per processor)", "no number": "(one per processor)", "negative": "(one per processor)"}
	nothing := map[string]string{"empty": "(it accepts nothing)", "device": "(it accepts nothing)"}
	run := with(batches, map[string]given{
		"MANIFEST": {kind: readsFile, value: "m.yaml"}, "--report": {kind: writesFile, before: "json=", value: "r.json"},
		"--max-failures": {kind: takesNumber, value: "2"},
		"--sums":         {kind: writesFile, value: "SHA256SUMS"}, "--provenance": {kind: writesFile, value: "provenance.json"},
		"--exceptions": {kind: readsFile, value: "exceptions.yaml", fine: nothing}, "--only": {kind: takesWord, value: "m"}, "--new-goldens": {kind: takesText},
		"--earlier": {kind: readsFolder, value: "before"}, "--loss": {kind: takesNumber, value: "1"}, "--max-unpacked": {kind: takesNumber, value: "100"},
		"--previous":           {kind: takesText},
		"--memory":             {kind: takesNumber, value: "500MiB"},
		"--disk":               {kind: takesNumber, value: "5GiB"},
		"$GITHUB_STEP_SUMMARY": {kind: appendsFile, value: "summary.md"}, "$GITHUB_ACTIONS": {}, "$BTFBATCH_CACHE": {}, "--cache": {}, "$DEBUGINFOD_URLS": {}, "$GITHUB_WORKSPACE": {},
		"$GITHUB_OUTPUT": {kind: appendsFile, value: "outputs.txt"}, "--annotations": {kind: takesNumber, value: "3"}, "$CI": {}, "$NO_COLOR": {}, "$COLUMNS": {}, "$TERM": {}, "$GOGC": {}, "$GOMEMLIMIT": {},
		"$PAHOLE_LANG_EXCLUDE": {},
	}, manifest)
	check := maps.Clone(run)
	delete(check, "images.golden")
	maps.Copy(check, checks)
	delete(check, "--only")
	check["--only-from"], check["--part"] = given{kind: readsFile, value: "plan.json"}, given{kind: takesNumber, value: "1"}
	debs := maps.Clone(run)
	for _, key := range []string{"images.path", "images.sha256", "images.outputs.elf"} {
		delete(debs, key)
	}
	maps.Copy(debs, map[string]given{"images.from.deb": {kind: readsFile, value: "pkg.deb"}, "images.from.member": {kind: takesText, value: "**/driver.ko"},
		"images.from.sha256": {kind: takesWord}})
	rpm := maps.Clone(debs)
	delete(rpm, "images.from.deb")
	rpm["images.from.rpm"] = given{kind: readsFile, value: "pkg.rpm"}
	retry := maps.Clone(run)
	delete(retry, "--only")
	delete(retry, "--previous")
	retry["--retry-failed"] = given{kind: readsFile, value: "failed.json"}
	shared := maps.Clone(run)
	delete(shared, "--only")
	shared["--shard"] = given{kind: takesWord, value: "0/4"}
	update := maps.Clone(run)
	update["images.golden"] = given{kind: writesFile, value: "golden.raw"}
	proposals := func(more map[string]given) map[string]given {
		return with(logs, more, map[string]given{"MANIFEST": {kind: readsFile, value: "fixed.yaml"}, "--only": {kind: takesWord, value: "v"},
			"--new-goldens": {kind: readsFolder, value: "before", fine: map[string]string{"empty": "(no golden is proposed)"}}})
	}
	return []trial{
		{command: "golden", inputs: with(logs)},
		{command: "golden status", inputs: proposals(nil)},
		{command: "golden show", inputs: proposals(nil)},
		{command: "golden accept", inputs: proposals(nil)},
		{command: "golden review", inputs: proposals(nil)},
		{command: "golden prune", inputs: with(logs, map[string]given{"MANIFEST": {kind: readsFile, value: "fixed.yaml"}})},
		{command: "golden why", inputs: with(logs, map[string]given{"IMAGE": {kind: takesWord, value: "m"}, "--report": {kind: readsFile, value: "report.json"}})},
		{command: "cache", inputs: with(logs)},
		{command: "cache info", inputs: with(logs)},
		{command: "cache gc", inputs: with(logs, map[string]given{"--max-size": {kind: takesWord, value: "1GiB"}})},
		{command: "cache verify", inputs: with(logs)},
		{command: "report", inputs: with(logs)},
		{command: "report merge", inputs: with(logs, map[string]given{"REPORT...": {kind: readsFile, value: "report.json"},
			"--plan": {kind: readsFile, value: "plan.json"}, "--report": {kind: writesFile, before: "json=", value: "r.json"},
			"--sums": {kind: writesFile, value: "s"}, "--provenance": {kind: writesFile, value: "p"}, "--annotations": {kind: takesNumber, value: "3"}})},
		{command: "report merge", inputs: with(logs, map[string]given{"REPORT...": {kind: readsFile, value: "done.json"},
			"--manifest": {kind: readsFile, value: "fixed.yaml"}, "--again": {kind: takesText}})},
		{command: "report show", inputs: with(logs, map[string]given{"FILE": {kind: readsFile, value: "report.json"}, "--format": {kind: takesWord, value: "text"}})},
		{command: "dump", inputs: with(logs, map[string]given{"FILE": split, "--base": base, "--format": {kind: takesWord, value: "raw"},
			"--pointer-size": {kind: takesNumber, value: "8"}, "--select": {kind: takesText}})},
		{command: "diff", inputs: with(logs, map[string]given{"OLD": split, "NEW": {kind: readsFile, value: "again.btf"}, "--base": base,
			"--limit": {kind: takesNumber, value: "1"}, "--format": {kind: takesWord, value: "text"}, "--fail-on": {kind: takesWord, value: "any"},
			"--only": {kind: takesText, value: "struct"}, "--ignore": {kind: takesText, value: "func"}})},
		{command: "diff", inputs: with(logs, map[string]given{"OLD": split, "NEW": {kind: readsFile, value: "again.btf"}, "--old-base": base, "--new-base": base})},
		{command: "history", inputs: with(logs, map[string]given{"NAME": {kind: takesText, value: "bpf_file_get"}, "FILE...": split, "--base": base,
			"--format": {kind: takesWord, value: "text"}})},
		{command: "explain", inputs: with(encoding, features, map[string]given{"IMAGE": image, "SYMBOL": {kind: takesText, value: "bpf_file_get"}})},
		{command: "stats", inputs: with(encoding, features, map[string]given{"IMAGE": module, "--base": base, "--format": {kind: takesWord, value: "text"}})},
		{command: "dump", inputs: with(logs, inBase, map[string]given{"FILE": packed, "--member": member, "--max-unpacked": unpacked})},
		{command: "diff", inputs: with(logs, inBase, map[string]given{"OLD": packed, "NEW": packed, "--member": member, "--max-unpacked": unpacked})},
		{command: "history", inputs: with(logs, inBase, map[string]given{"NAME": {kind: takesText, value: "bpf_file_get"}, "FILE...": packed, "--member": member, "--max-unpacked": unpacked})},
		{command: "verify", inputs: with(logs, inBase, map[string]given{"FILE": packed, "--member": member, "--max-unpacked": unpacked})},
		{command: "explain", inputs: with(encoding, map[string]given{"IMAGE": {kind: readsFile, value: "image.deb"}, "SYMBOL": {kind: takesText, value: "bpf_file_get"}, "--member": {kind: takesText, value: "**/image.elf"},
			"--max-unpacked": unpacked})},
		{command: "stats", inputs: with(encoding, inBase, map[string]given{"IMAGE": {kind: readsFile, value: "pkg.rpm"}, "--member": member, "--max-unpacked": unpacked})},
		{command: "init", inputs: with(logs, map[string]given{"DIR|IMAGE|PACKAGE...": {kind: readsFile, value: "kernel.deb"}, "--output": {kind: writesFile, value: "new.yaml"}, "--max-unpacked": unpacked})},
		{command: "validate", inputs: with(logs, map[string]given{"MANIFEST": {kind: readsFile, value: "fixed.yaml"}})},
		{command: "sources", inputs: with(logs, map[string]given{"MANIFEST": {kind: readsFile, value: "fixed.yaml"}, "--format": {kind: takesWord, value: "text"},
			"--max-unpacked": {kind: takesNumber, value: "1000"}})},
		{command: "lock", makes: "fixed.yaml.lock", inputs: with(logs, map[string]given{"MANIFEST": {kind: readsFile, value: "fixed.yaml"}, "--format": {kind: takesWord, value: "text"},
			"--allow-shrink": {kind: takesNumber, value: "1"}, "--jobs": {kind: takesNumber, value: "1"}, "--max-unpacked": {kind: takesNumber, value: "1000"}})},
		{command: "lock", makes: "fixed.yaml.lock", more: []string{"--update"}, inputs: with(logs, map[string]given{"MANIFEST": {kind: readsFile, value: "fixed.yaml"}, "NAME...": {kind: takesWord, value: "v"}})},
		{command: "plan", inputs: with(logs, map[string]given{"MANIFEST": {kind: readsFile, value: "fixed.yaml"}, "--only": {kind: takesWord, value: "v"},
			"--profile": {kind: takesWord, value: "default"}})},
		{command: "submit", more: []string{"--dry-run"}, inputs: with(logs, map[string]given{"MANIFEST": {kind: readsFile, value: "fixed.yaml"},
			"--engine": {kind: takesWord, value: "slurm"}, "--shards": {kind: takesNumber, value: "3"}, "--folder": {kind: takesText},
			"--cpus": {kind: takesNumber, value: "2"}, "--mem": {kind: takesNumber, value: "1GiB"}, "--time": {kind: takesNumber, value: "1h"},
			"--max-parallel": {kind: takesNumber, value: "2"}, "--retries": {kind: takesNumber, value: "1"}, "--pause": {kind: takesNumber, value: "1s"},
			"--option": {kind: takesText}, "--with": {kind: takesWord, value: "--no-cache"}, "--sums": {kind: takesText}, "--provenance": {kind: takesText}})},
		{command: "submit", more: []string{"--dry-run", "--engine=kubernetes", "--shards=3"}, inputs: with(logs, map[string]given{"MANIFEST": {kind: readsFile, value: "fixed.yaml"},
			"--image": {kind: takesText, value: "btfbatch:v1"}, "--claim": {kind: takesText, value: "hub"}, "--user": {kind: takesNumber, value: "1000"},
			"--env-secret": {kind: takesText, value: "bucket"}, "--registry-secret": {kind: takesText, value: "ghcr"}})},
		{command: "plan", inputs: with(logs, map[string]given{"MANIFEST": {kind: readsFile, value: "fixed.yaml"}, "--format": {kind: takesWord, value: "json"},
			"--max": {kind: takesNumber, value: "3"}, "--per-part": {kind: takesNumber, value: "1s"}})},
		{command: "verify", more: []string{"--lint"}, inputs: with(logs, map[string]given{"FILE": split, "--base": base, "--as": {kind: takesWord, value: "newest"},
			"--path": {kind: takesWord, value: "module"}, "--pointer-size": {kind: takesNumber, value: "8"},
			"--loss": {kind: takesNumber, value: "1"}, "--earlier": {kind: readsFile, value: "again.btf"}})},
		{command: "schema", inputs: with(logs)},
		{command: "version", inputs: with(logs)},
		{command: "encode", inputs: with(batches, features, map[string]given{"IMAGE": module, "--base": base,
			"--output": {kind: writesFile, value: "out.btf"}, "--distilled": {kind: writesFile, value: "out.base"}})},
		{command: "encode", inputs: with(batches, inBase, map[string]given{"--from": {kind: readsFile, before: "deb=", value: "pkg.deb"},
			"--member": {kind: takesText, value: "**/driver.ko"}, "--max-unpacked": unpacked,
			"--output": {kind: writesFile, value: "out.btf"}})},
		{command: "embed", inputs: with(batches, features, map[string]given{"IMAGE": module, "--base": base, "--as": {kind: takesWord, value: "newest"},
			"--output": {kind: writesFile, value: "out.ko"}})},
		{command: "embed", inputs: with(logs, map[string]given{"IMAGE": module, "--base": base, "--as": {kind: takesWord, value: "newest"},
			"--btf": {kind: readsFile, value: "pair.btf"}, "--distilled": {kind: readsFile, value: "pair.base"}, "--output": {kind: writesFile, value: "out.ko"}})},
		{command: "embed", inputs: with(batches, inBase, map[string]given{"IMAGE": {kind: readsFile, value: "pkg.deb"}, "--member": member, "--max-unpacked": unpacked,
			"--output": {kind: writesFile, value: "out.ko"}})},
		{command: "embed", more: []string{"--in-place"}, inputs: with(batches, features, map[string]given{"IMAGE": {kind: writesFile, value: "module.ko"}, "--base": base})},
		{command: "pahole", more: []string{"-J"}, inputs: map[string]given{"FILE": module, "--btf_base": base,
			"--btf_encode_detached": {kind: writesFile, value: "out.btf", waits: "pipe",
				fine: map[string]string{"device": "(pahole writes to devices)"}}, "--btf_features": {kind: takesWord, value: "default", fine: any},
			"--btf_features_strict": {kind: takesWord, fine: list}, "--lang": {kind: takesWord, fine: any}, "--lang_exclude": {kind: takesWord, value: "rust"},
			"--jobs":       {kind: takesNumber, value: "1", fine: jobs},
			"--cu_exclude": {kind: takesText, fine: map[string]string{"empty": "(pahole then excludes nothing)"}}, "--kabi_prefix": {kind: takesText}}},
		{command: "run", inputs: run},
		{command: "run", inputs: check},
		{command: "run", inputs: debs},
		{command: "run", inputs: retry, only: "--retry-failed"},
		{command: "run", inputs: shared, only: "--shard"},
		{command: "run", inputs: rpm, only: "images.from.rpm"},
		{command: "run", more: []string{"--update"}, inputs: update, only: "images.golden"},
	}
}

// manifest has every key of a manifest. The keys of the image m represent those of all images.
var manifest = map[string]given{
	"version": {kind: takesYAML, value: "1"}, "requires": {kind: takesWord, value: ">=0.1"}, "defaults": {kind: takesYAML, value: "{profile: default}", fine: map[string]string{"empty mapping": "(no default is wanted)"}}, "matrix": {kind: takesYAML, value: "{axis: [a]}"}, "images": {},
	"include": {kind: readsFile, value: "extra.yaml"}, "images_from": {kind: readsFile, value: "extra.jsonl"},
	"images.name": {kind: takesText, value: "m"}, "images.path": module, "images.arch": {kind: takesWord, value: "x86_64"},
	"images.sha256": {kind: takesWord}, "images.build_id": {kind: takesWord}, "images.profile": {kind: takesWord, value: "default"},
	"images.kind": {kind: takesWord, value: "any"}, "images.release": {kind: takesText},
	"images.features": {kind: takesWord, value: "default,distilled_base"}, "images.lang_exclude": {kind: takesWord, value: "rust"},
	"images.sections": {kind: takesYAML}, "images.sort_by_name": {kind: takesWord, value: "false"}, "images.kernel": {kind: takesWord, value: "false"},
	"images.verify": {kind: takesWord, value: "newest"}, "images.outputs": {}, "images.golden": {kind: readsFile, value: "golden.raw"},
	"images.base": {kind: takesWord}, "images.base_path": base, "images.base_sha256": {kind: takesWord}, "images.matrix": {kind: takesYAML},
	"images.outputs.btf": {kind: writesFile, value: "out/m.btf"}, "images.outputs.base": {kind: writesFile, value: "out/m.base"},
	"images.outputs.dump": {kind: writesFile, value: "out/m.raw"}, "images.outputs.elf": {kind: writesFile, value: "out/m.ko"},
	"images.outputs.json": {kind: writesFile, value: "out/m.json"}, "images.outputs.c": {kind: writesFile, value: "out/m.h"},
	"images.outputs.archive": {kind: writesFile, value: "out/m.tar.xz"}, "images.evidence": {kind: writesFile, value: "out/m.evidence.json"},
	"images.series": {kind: takesText}, "images.series_loss": {kind: takesWord, value: "50%"},
	"images.publish":   {kind: takesText, value: "site"},
	"sections.section": {kind: takesText, value: ".data..percpu"}, "sections.exclude": {kind: takesWord, value: "zero-address",
		fine: map[string]string{"unknown": "(a pattern for symbols)", "unknown behind known": "(a pattern for symbols)"}},
	"sections.datasec": {kind: takesWord, value: "true"}, "sections.unique": {kind: takesWord, value: "true"},
}

// checks has the keys of a golden that is a mapping.
var checks = map[string]given{
	"images.golden.path": {kind: readsFile, value: "golden.raw"}, "images.golden.policy": {kind: takesWord, value: "semantic"},
	"images.golden.allow": {kind: takesYAML, value: "{member-added: [task_struct]}"}, "images.golden.dialect": {kind: takesWord, value: "bpftool-7.8"},
	"images.golden.select": {kind: takesText},
}

// isKey reports whether an input is a key of the manifest.
func isKey(name string) bool { return name[0] >= 'a' && name[0] <= 'z' }

// manifestOf returns the manifest of a call.
func manifestOf(c *trial) string {
	var b strings.Builder
	pair := func(indent, name string) {
		v := c.value(name)
		if v == unset {
			return
		}
		if c.inputs[name].kind != takesYAML {
			v = fmt.Sprintf("%q", v)
		}
		fmt.Fprintf(&b, "%s%s: %s\n", indent, name[strings.LastIndex(name, ".")+1:], v)
	}
	for _, name := range []string{"version", "requires", "defaults", "matrix", "include", "images_from"} {
		pair("", name)
	}
	fmt.Fprintf(&b, "images:\n- {name: \"v-${{ matrix.axis }}\", path: image.elf, kind: any, outputs: {btf: out/v.btf}}\n-\n")
	nested := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(c.inputs)) {
		rest, ok := strings.CutPrefix(name, "images.")
		if group, _, below := strings.Cut(rest, "."); ok && below {
			nested[group] = append(nested[group], name)
		} else if _, sub := nested[rest]; ok && !sub && rest != "outputs" {
			pair("  ", name)
		}
	}
	if _, ok := c.values["images.sections"]; !ok {
		fmt.Fprintf(&b, "  sections:\n  -\n")
		for _, name := range []string{"sections.section", "sections.exclude", "sections.datasec", "sections.unique"} {
			pair("    ", name)
		}
	}
	for _, group := range []string{"from", "golden"} {
		if nested[group] != nil {
			fmt.Fprintf(&b, "  %s:\n", group)
		}
		for _, name := range nested[group] {
			pair("    ", name)
		}
	}
	fmt.Fprintf(&b, "  outputs:\n")
	for _, name := range nested["outputs"] {
		pair("    ", name)
	}
	return b.String()
}

// remote are keys whose good values need a server.
var remote = []string{"images.from.url", "images.from.apt", "images.from.debuginfod"}

// manifestKeys lists the keys of a manifest according to its schema, which another test checks.
func manifestKeys(t *testing.T) (list []string) {
	t.Helper()
	type schema struct {
		Properties map[string]*schema `json:"properties"`
		Items      *schema            `json:"items"`
		AnyOf      []*schema          `json:"anyOf"`
	}
	data, err := config.Schema()
	if err != nil {
		t.Fatal(err)
	}
	var root schema
	if err := json.Unmarshal(data, &root); err != nil {
		t.Fatal(err)
	}
	add := func(prefix string, s *schema) {
		for name := range s.Properties {
			if !slices.Contains(remote, prefix+name) && prefix+name != "images.from" {
				list = append(list, prefix+name)
			}
		}
	}
	add("", &root)
	image := root.Properties["images"].Items
	add("images.", image)
	add("images.outputs.", image.Properties["outputs"])
	add("images.from.", image.Properties["from"])
	add("images.golden.", image.Properties["golden"].AnyOf[1])
	add("sections.", image.Properties["sections"].Items)
	return list
}

// goodFiles has the contents of the files in every working folder.
var goodFiles map[string][]byte

// sourceDir is the folder of this package, for tests that run in another folder.
var sourceDir string

// prepareFixtures creates the files that the calls read.
func prepareFixtures(t *testing.T) {
	t.Helper()
	for _, name := range []string{"CI", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT", "GITHUB_WORKSPACE", "PAHOLE_LANG_EXCLUDE", "BTFBATCH_VERIFY"} {
		t.Setenv(name, "")
	}
	var err error
	if sourceDir, err = os.Getwd(); err != nil {
		t.Fatal(err)
	}
	read := func(path string) []byte {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	images := filepath.Join(sourceDir, "..", "..", "corpus", "images", "gcc12-x86_64-dwarf5-")
	goodFiles = map[string][]byte{
		"image.elf": read(images + "based.elf"), "module.ko": read(images + "driver.ko"), "base.btf": read(images + "based.btf.golden"),
		"pkg.deb":    synth.Deb("data.tar", synth.Tar(synth.Entry{Name: "./lib/driver.ko", Body: read(images + "driver.ko")})),
		"base.deb":   synth.Deb("data.tar", synth.Tar(synth.Entry{Name: "./lib/base.btf", Body: read(images + "based.btf.golden")})),
		"image.deb":  synth.Deb("data.tar", synth.Tar(synth.Entry{Name: "./lib/image.elf", Body: read(images + "based.elf")})),
		"kernel.deb": synth.Deb("data.tar", synth.Tar(synth.Entry{Name: "./usr/lib/debug/boot/vmlinux-6.1", Body: read(images + "based.elf")})),
		"pkg.rpm": synth.RPM(synth.Cpio(synth.Entry{Name: "lib/driver.ko", Body: read(images + "driver.ko")}),
			synth.Entry{Name: "lib/driver.ko", Body: read(images + "driver.ko")}),
		"pair.btf": read(images + "driver.distilled.golden"), "pair.base": read(images + "driver.base.golden"),
		"empty": {}, "words": []byte("This is some text.\n"), "zeros": make([]byte, 100), "summary.md": []byte("# Before\n"), "outputs.txt": []byte("before=1\n"),
		"exceptions.yaml": []byte("- {kind: FUNC, name: nothing, what: removed, reason: for the test}\n"),
		"failed.json":     failedReport(t, "m"),
		"extra.jsonl":     []byte(`{"name": "listed", "path": "image.elf", "kind": "any"}` + "\n"),
		"extra.yaml":      []byte("version: 1\nimages: [{name: extra, path: image.elf, kind: any}]\n"),
		"plan.json":       []byte(`{"schema": 1, "images": ["extra", "listed", "v-a", "m"], "parts": [{"part": 1, "name": "m", "seconds": 1, "images": ["m"]}]}`),
		"fixed.yaml":      []byte("version: 1\nimages: [{name: v, path: image.elf, kind: any, golden: golden.raw}]\n"),
	}
	goodFiles["done.json"] = doneReport(t, "v", goodFiles["fixed.yaml"])
	t.Chdir(t.TempDir())
	for name, data := range goodFiles {
		write(t, name, string(data))
	}
	sum := sha256.Sum256(goodFiles["module.ko"])
	manifest["images.sha256"] = given{kind: takesWord, value: hex.EncodeToString(sum[:])}
	sum = sha256.Sum256(goodFiles["base.btf"])
	manifest["images.base_sha256"] = given{kind: takesWord, value: hex.EncodeToString(sum[:])}
	c := trial{inputs: manifest}
	write(t, "m.yaml", manifestOf(&c))
	for _, args := range []string{"encode module.ko --base base.btf -o split.btf", "encode module.ko --base base.btf -o again.btf", "embed module.ko --base base.btf -o full.ko", "run m.yaml --update --report json=report.json"} {
		var b bytes.Buffer
		if code := run(strings.Fields(args), &b, &b); code != exitcode.OK {
			t.Fatalf("%s: exit code %d\n%s", args, code, &b)
		}
	}
	write(t, "btf.deb", string(synth.Deb("data.tar", synth.Tar(synth.Entry{Name: "./lib/driver.ko", Body: read("full.ko")}))))
	for _, name := range []string{"btf.deb", "split.btf", "again.btf", "golden.raw", "report.json"} {
		goodFiles[name] = read(name)
	}
}

// doneReport is a stored report about a manifest in which an image is good.
func doneReport(t *testing.T, name string, manifest []byte) []byte {
	t.Helper()
	r := report.New([]string{name})
	r.Tool = report.Tool{Name: "btfbatch", Version: "v1"}
	sum := sha256.Sum256(manifest)
	r.Manifest.SHA256 = hex.EncodeToString(sum[:])
	r.Add(report.Row{Name: name, Types: 1})
	var b bytes.Buffer
	if err := r.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// failedReport is a stored report in which an image has failed.
func failedReport(t *testing.T, name string) []byte {
	t.Helper()
	r := report.New([]string{name})
	r.Tool = report.Tool{Name: "btfbatch", Version: "v1"}
	var b bytes.Buffer
	if err := r.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
