//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// An insn is one instruction of BPF.
type insn struct {
	op  uint8
	reg uint8 // destination, source << 4
	off int16
	imm int32
}

// The instructions that the checks use.
const (
	pseudoBTF   = 3 // source of loadImm64: the immediate is the id of a variable
	pseudoKfunc = 2 // source of call: the immediate is the id of a function
)

func loadVar(reg uint8, id int32) []insn {
	return []insn{{op: 0x18, reg: reg | pseudoBTF<<4, imm: id}, {}}
}
func mov(reg uint8, v int32) insn            { return insn{op: 0xb7, reg: reg, imm: v} }
func call(helper int32) insn                 { return insn{op: 0x85, imm: helper} }
func callKfunc(id int32) insn                { return insn{op: 0x85, reg: pseudoKfunc << 4, imm: id} }
func skipUnlessNull(reg uint8, n int16) insn { return insn{op: 0x55, reg: reg, off: n} }
func load32(dst, src uint8, off int16) insn  { return insn{op: 0x61, reg: dst | src<<4, off: off} }
func exit() insn                             { return insn{op: 0x95} }

// A program holds the arguments of BPF_PROG_LOAD.
type program struct {
	kind, attach uint32
	attachID     uint32
	insns        []insn
}

// loadAttr is the head of union bpf_attr for BPF_PROG_LOAD.
type loadAttr struct {
	progType, insnCount uint32
	insns, license      uint64
	logLevel, logSize   uint32
	log                 uint64
	version, flags      uint32
	name                [16]byte
	ifindex, attachType uint32
	btfFD, funcInfoSize uint32
	funcInfo            uint64
	funcInfos, lineSize uint32
	line                uint64
	lines, attachBTFID  uint32
	attachFD, attachPad uint32
}

// runAttr is the head of union bpf_attr for BPF_PROG_TEST_RUN.
type runAttr struct {
	fd, result       uint32
	inSize, outSize  uint32
	in, out          uint64
	repeat, duration uint32
	ctxIn, ctxOut    uint32
	ctx, ctxBack     uint64
	flags, cpu       uint32
}

// bpf calls bpf(2). Everything that attr points to must stay alive during the call.
func bpf(cmd int, attr unsafe.Pointer, size uintptr) (int, error) {
	r, _, e := unix.Syscall(unix.SYS_BPF, uintptr(cmd), uintptr(attr), size)
	if e != 0 {
		return -1, e
	}
	return int(r), nil
}

func address[T any](p *T) uint64 { return uint64(uintptr(unsafe.Pointer(p))) }

// load loads a program. An error has the verifier's log.
func (p *program) load() (fd int, err error) {
	license := []byte("GPL\x00")
	log := make([]byte, 64<<10)
	attr := &loadAttr{progType: p.kind, insnCount: uint32(len(p.insns)), insns: address(&p.insns[0]), license: address(&license[0]),
		logLevel: 1, logSize: uint32(len(log)), log: address(&log[0]), attachType: p.attach, attachBTFID: p.attachID}
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(&p.insns[0])
	pin.Pin(&license[0])
	pin.Pin(&log[0])
	fd, err = bpf(unix.BPF_PROG_LOAD, unsafe.Pointer(attr), unsafe.Sizeof(*attr))
	if err != nil {
		text, _, _ := bytes.Cut(log, []byte{0})
		return -1, fmt.Errorf("%w: %.600s", err, text)
	}
	return fd, nil
}

// run runs a loaded program once and returns the program's result.
func run(fd int) (uint32, error) {
	attr := &runAttr{fd: uint32(fd)}
	_, err := bpf(unix.BPF_PROG_TEST_RUN, unsafe.Pointer(attr), unsafe.Sizeof(*attr))
	return attr.result, err
}

// A kernelObject is BTF that the kernel holds.
type kernelObject struct {
	name string
	btf  []byte
}

// infoAttr and objectInfo belong to BPF_OBJ_GET_INFO_BY_FD.
type infoAttr struct {
	fd, size uint32
	info     uint64
}

type objectInfo struct {
	btf                uint64
	size, id           uint32
	name               uint64
	nameSize, inKernel uint32
}

// idAttr belongs to BPF_BTF_GET_NEXT_ID and BPF_BTF_GET_FD_BY_ID.
type idAttr struct{ id, next, flags uint32 }

// kernelObjects lists the BTF objects of the kernel. Older kernels return no names.
func kernelObjects(room int) ([]kernelObject, error) {
	var list []kernelObject
	for at := (idAttr{}); ; at.id = at.next {
		if _, err := bpf(unix.BPF_BTF_GET_NEXT_ID, unsafe.Pointer(&at), unsafe.Sizeof(at)); errors.Is(err, unix.ENOENT) {
			return list, nil
		} else if err != nil {
			return nil, fmt.Errorf("next object: %w", err)
		}
		get := idAttr{id: at.next}
		fd, err := bpf(unix.BPF_BTF_GET_FD_BY_ID, unsafe.Pointer(&get), unsafe.Sizeof(get))
		if err != nil {
			return nil, fmt.Errorf("object %d: %w", at.next, err)
		}
		o, err := describe(fd, room)
		_ = unix.Close(fd)
		if err != nil {
			return nil, fmt.Errorf("object %d: %w", at.next, err)
		}
		list = append(list, o)
	}
}

func describe(fd, room int) (kernelObject, error) {
	data, name := make([]byte, room), make([]byte, 64)
	info := &objectInfo{btf: address(&data[0]), size: uint32(room), name: address(&name[0]), nameSize: uint32(len(name))}
	attr := &infoAttr{fd: uint32(fd), size: uint32(unsafe.Sizeof(*info)), info: address(info)}
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(&data[0])
	pin.Pin(&name[0])
	pin.Pin(info)
	if _, err := bpf(unix.BPF_OBJ_GET_INFO_BY_FD, unsafe.Pointer(attr), unsafe.Sizeof(*attr)); err != nil {
		return kernelObject{}, err
	}
	text, _, _ := bytes.Cut(name, []byte{0})
	return kernelObject{string(text), data[:min(int(info.size), room)]}, nil
}
