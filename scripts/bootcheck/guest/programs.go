//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// The helper that the checks call, from the UAPI.
const perCPUPtr = 153

// nowhere is the result of a program that got no pointer.
const nowhere = 0x7fffffff

// find returns the first type with a kind and name, like the kernel; 0 if there is none.
func (g *guest) find(kind btf.Kind, name string) btf.ID {
	for id, r := range g.o.All() {
		if r.Kind() == kind && g.o.Name(r.Name()) == name {
			return id
		}
	}
	return 0
}

// resolve skips qualifiers and typedefs.
func (g *guest) resolve(id btf.ID) btf.Record {
	for {
		r, ok := g.o.Record(id)
		if !ok {
			return btf.Record{0, 0, 0}
		}
		if !btf.Modifiers.Has(r.Kind()) {
			return r
		}
		id = r.Type()
	}
}

// member returns the offset of a member in bytes, including members of anonymous members.
func (g *guest) member(r btf.Record, name string) (off uint32, ok bool) {
	if !btf.Composites.Has(r.Kind()) {
		return 0, false
	}
	for i := range r.Vlen() {
		e := r.Elem(i)
		at, _ := btf.MemberOffset(e[2], r.Kflag())
		if e[0] == 0 {
			if off, ok := g.member(g.resolve(btf.ID(e[1])), name); ok {
				return at/8 + off, true
			}
		}
		if g.o.Name(e[0]) == name {
			return at / 8, true
		}
	}
	return 0, false
}

// programs loads one program for each use of BTF.
func (g *guest) programs() {
	g.load("a program without BTF loads", unix.BPF_PROG_TYPE_SOCKET_FILTER, 0, 0, mov(0, 0), exit())
	g.perCPU()
	for _, name := range []string{"vfs_read", "schedule"} {
		if id := g.find(btf.KindFunc, name); id != 0 {
			g.load("fentry of "+name+" loads", unix.BPF_PROG_TYPE_TRACING, unix.BPF_TRACE_FENTRY, id, mov(0, 0), exit())
		} else {
			g.fail("fentry of "+name, errors.New("the BTF has no such FUNC"))
		}
	}
	tp := g.find(btf.KindTypedef, "btf_trace_sched_switch")
	g.load("tp_btf of sched_switch loads", unix.BPF_PROG_TYPE_TRACING, unix.BPF_TRACE_RAW_TP, tp, mov(0, 0), exit())
	lock, unlock := g.find(btf.KindFunc, "bpf_rcu_read_lock"), g.find(btf.KindFunc, "bpf_rcu_read_unlock")
	if lock == 0 || unlock == 0 {
		g.note("this kernel has no kfunc bpf_rcu_read_lock")
		return
	}
	g.load("call of kfunc bpf_rcu_read_lock loads", unix.BPF_PROG_TYPE_TRACING, unix.BPF_TRACE_RAW_TP, tp,
		callKfunc(int32(lock)), callKfunc(int32(unlock)), mov(0, 0), exit())
}

func (g *guest) load(what string, kind, attach uint32, id btf.ID, insns ...insn) {
	p := program{kind: kind, attach: attach, attachID: uint32(id), insns: insns}
	fd, err := p.load()
	if err != nil {
		g.fail(what, err)
		return
	}
	_ = unix.Close(fd)
	g.ok("%s", what)
}

// numbered lists per-CPU variables that hold the number of their CPU, directly or in a member. Every kernel has one of them.
var numbered = []struct{ name, member string }{{"runqueues", "cpu"}, {"cpu_number", ""}, {"pcpu_hot", "cpu_number"}}

// perCPU reads per-CPU variables of every CPU by their VARs, at the offsets in the BTF.
func (g *guest) perCPU() {
	cpus, err := possible()
	if err != nil {
		g.fail("per-CPU variables", err)
		return
	}
	tried := 0
	for _, v := range numbered {
		id := g.find(btf.KindVar, v.name)
		if id == 0 {
			continue
		}
		off := uint32(0)
		if v.member != "" {
			var ok bool
			r, _ := g.o.Record(id)
			if off, ok = g.member(g.resolve(r.Type()), v.member); !ok {
				continue
			}
		}
		tried++
		what := strings.TrimSuffix(v.name+"."+v.member, ".")
		if err := readAll(id, off, cpus); err != nil {
			g.fail("per-CPU variable "+what, err)
			continue
		}
		g.ok("per-CPU variable %s is read through bpf_per_cpu_ptr, right on %d CPUs", what, cpus)
	}
	if tried == 0 {
		g.fail("per-CPU variables", errors.New("the BTF has no VAR of a variable that holds the number of its CPU"))
	}
}

// readAll reads a variable on every CPU and checks that it is the CPU's number.
func readAll(id btf.ID, off uint32, cpus int) error {
	for cpu := range cpus {
		p := program{kind: unix.BPF_PROG_TYPE_RAW_TRACEPOINT, insns: append(loadVar(1, int32(id)),
			mov(2, int32(cpu)), call(perCPUPtr), skipUnlessNull(0, 2), mov(0, nowhere), exit(), load32(0, 0, int16(off)), exit())}
		fd, err := p.load()
		if err != nil {
			return err
		}
		got, err := run(fd)
		_ = unix.Close(fd)
		if err != nil {
			return fmt.Errorf("run: %w", err)
		}
		if got != uint32(cpu) {
			return fmt.Errorf("CPU %d has the value %d", cpu, got)
		}
	}
	return nil
}

// possible returns the number of CPUs that have per-CPU variables.
func possible() (int, error) {
	text, err := os.ReadFile("/sys/devices/system/cpu/present")
	if err != nil {
		return 0, err
	}
	var first, last int
	switch n, _ := fmt.Sscanf(string(text), "%d-%d", &first, &last); n {
	case 1, 2:
		return max(first, last) + 1, nil
	}
	return 0, fmt.Errorf("CPUs %q", text)
}

// objects compares the BTF object that programs refer to.
func (g *guest) objects(expected []byte) {
	const what = "the kernel's BTF object vmlinux"
	list, err := kernelObjects(len(expected) + 1)
	if err != nil {
		g.fail(what, err)
		return
	}
	for _, o := range list {
		if o.name != "vmlinux" {
			continue
		}
		if bytes.Equal(o.btf, expected) {
			g.ok("%s is the same", what)
		} else {
			g.fail(what, fmt.Errorf("%d bytes, not the %d bytes that were put into the image", len(o.btf), len(expected)))
		}
		return
	}
	// Programs are loaded with ids from it anyway.
	g.note("this kernel lists no BTF object vmlinux")
}
