package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// examples has the examples of every command, by its path below btfbatch.
var examples = map[string]string{
	"": `
btfbatch init kernels/            # write btfbatch.yaml for the images in a folder
btfbatch validate                 # check it
btfbatch run                      # encode, verify, publish and compare
btfbatch encode vmlinux -o vmlinux.btf`,
	"init": `
btfbatch init                             # a manifest for all images below this folder
btfbatch init vmlinux modules/            # for some
btfbatch init linux-image-6.12-dbg.deb    # for the kernel in a debug package
btfbatch init kernels/ -o -               # print it`,
	"validate": `
btfbatch validate                         # btfbatch.yaml
btfbatch validate kernels.yaml`,
	"sources": `
btfbatch sources                          # btfbatch.yaml
btfbatch sources kernels.yaml --format json`,
	"lock": `
btfbatch lock                             # write btfbatch.yaml.lock, or add what is new
btfbatch lock kernels.yaml --update 'debian-6.*'
btfbatch lock --check                     # is the lock what there is now?`,
	"submit": `
btfbatch submit kernels.yaml --engine slurm --shards 40 --mem 4GiB --time 2h --wait
btfbatch submit kernels.yaml --engine slurm --shards 40 --wait --missing
btfbatch submit kernels.yaml --engine kubernetes --shards 40 --image registry.example.org/btfbatch:v1 --dry-run`,
	"plan": `
btfbatch plan
btfbatch plan kernels.yaml --only 'debian-6.*'
btfbatch plan --format github-matrix --max 20`,
	"run": `
btfbatch run                              # btfbatch.yaml
btfbatch run kernels.yaml --only 'debian-6.*' -j 4
btfbatch run --report text --report junit=report.xml --report html=report.html
btfbatch run --new-goldens new            # then: btfbatch golden review --new-goldens new`,
	"golden": `
btfbatch run --new-goldens new
btfbatch golden show --new-goldens new
btfbatch golden accept --new-goldens new`,
	"golden status": `
btfbatch golden status
btfbatch golden status kernels.yaml --new-goldens new`,
	"golden show":   "btfbatch golden show --new-goldens new",
	"golden accept": "btfbatch golden accept --new-goldens new --only 'debian-6.*'",
	"golden why":    "btfbatch golden why debian-6.12-amd64 --report run.json",
	"golden review": "btfbatch golden review --new-goldens new",
	"golden prune": `
btfbatch golden prune                     # list them
btfbatch golden prune --delete`,
	"cache":        "btfbatch cache info",
	"cache info":   "btfbatch cache info",
	"cache gc":     "btfbatch cache gc --max-size 2GiB",
	"cache verify": "btfbatch cache verify",
	"report":       "btfbatch report show run.json",
	"report merge": "btfbatch report merge part-1.json part-2.json --report markdown=report.md",
	"report show":  "btfbatch report show run.json --format markdown",
	"encode": `
btfbatch encode vmlinux -o vmlinux.btf --lang-exclude rust
btfbatch encode tun.ko -o tun.btf --base vmlinux.btf
btfbatch encode --from deb=linux-image-6.12-dbg.deb -o vmlinux.btf --lang-exclude rust
zstd -dc vmlinux.zst | btfbatch encode - -o - | btfbatch dump -`,
	"embed": `
btfbatch embed vmlinux -o vmlinux.new
btfbatch embed driver.ko --in-place --base /sys/kernel/btf/vmlinux
btfbatch embed driver.ko -o new.ko --base vmlinux --btf-features default,distilled_base`,
	"verify": `
btfbatch verify vmlinux.btf
btfbatch verify --as 5.10 vmlinux.btf
btfbatch verify --base vmlinux.btf tun.btf --lint`,
	"explain": `
btfbatch explain vmlinux fixed_percpu_data
btfbatch explain vmlinux --list-excluded`,
	"stats": `
btfbatch stats vmlinux
btfbatch stats vmlinux --format json`,
	"dump": `
btfbatch dump vmlinux.btf
btfbatch dump /sys/kernel/btf/tun --base /sys/kernel/btf/vmlinux
btfbatch dump vmlinux.btf --format c > vmlinux.h`,
	"diff": `
btfbatch diff 6.1.btf 6.12.btf
btfbatch diff 6.1.btf 6.12.btf --only 'struct,task_*'
btfbatch diff old.raw.zst new.btf --format markdown --fail-on break`,
	"history": `
btfbatch history task_struct.on_cpu 6.1.btf 6.6.btf 6.12.btf
btfbatch history func:vfs_read 6.1.btf 6.12.btf --format json`,
	"pahole": `
btfbatch pahole -J --btf_features=default --lang_exclude=rust vmlinux
btfbatch pahole -J --btf_encode_detached=vmlinux.btf vmlinux
btfbatch pahole --version`,
	"man":     "btfbatch man man1 --date 2026-11-30",
	"schema":  "btfbatch schema > manifest.schema.json",
	"version": "btfbatch version",
	"help":    "btfbatch help run",
}

// addExamples sets the examples of a command and of those below it.
func addExamples(cmd *cobra.Command) {
	path := strings.TrimSpace(strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()))
	if text := strings.TrimSpace(examples[path]); text != "" {
		cmd.Example = "  " + strings.ReplaceAll(text, "\n", "\n  ")
	}
	for _, c := range cmd.Commands() {
		addExamples(c)
	}
}
