package dwarf

import "fmt"

// DWARF expression opcodes that the rules name (DWARF 5, section 7.7.1).
const (
	OpAddr          = 0x03
	OpConstu        = 0x10
	OpConsts        = 0x11
	OpPlusUconst    = 0x23
	OpLit0          = 0x30
	OpLit31         = 0x4f
	OpReg0          = 0x50
	OpReg31         = 0x6f
	OpBreg0         = 0x70
	OpBreg31        = 0x8f
	OpFbreg         = 0x91
	OpPiece         = 0x93
	OpStackValue    = 0x9f
	OpAddrx         = 0xa1
	OpEntryValue    = 0xa3
	OpGNUEntryValue = 0xf3
	OpGNUAddrIndex  = 0xfb
)

// An Op is one operation of an expression. For an entry value, A is the position of its block and B the length.
type Op struct {
	Code uint8
	A, B uint64
}

// Kinds of operands. An opcode with fewer than two operands is padded with argNone.
const (
	argNone = iota
	arg1
	arg2
	arg4
	arg8
	argULEB
	argSLEB
	argAddr
	argOffset // a section offset
	argBlock  // ULEB128 length and bytes
	argBlock1 // one byte length and bytes
	argBad    // unknown opcode
)

// operands has the kinds of operands of each opcode.
var operands = func() (t [256][2]uint8) {
	for i := range t {
		t[i][0] = argBad
	}
	set := func(a, b uint8, ops ...int) {
		for _, op := range ops {
			t[op] = [2]uint8{a, b}
		}
	}
	span := func(a uint8, from, to int) {
		for op := from; op <= to; op++ {
			t[op] = [2]uint8{a, argNone}
		}
	}
	set(argAddr, argNone, OpAddr)
	set(argNone, argNone, 0x06, 0x96, 0x97, 0x9b, 0x9c, OpStackValue, 0xe0, 0xf0)
	set(arg1, argNone, 0x08, 0x09, 0x15, 0x94, 0x95)
	set(arg2, argNone, 0x0a, 0x0b, 0x28, 0x2f, 0x98)
	set(arg4, argNone, 0x0c, 0x0d, 0x99, 0xfa)
	set(arg8, argNone, 0x0e, 0x0f)
	set(argULEB, argNone, OpConstu, OpPlusUconst, 0x90, OpPiece, OpAddrx, 0xa2, 0xa8, 0xa9, 0xf7, 0xf9, 0xfb, 0xfc)
	set(argSLEB, argNone, OpConsts, OpFbreg)
	span(argNone, 0x12, 0x14)
	span(argNone, 0x16, 0x22)
	span(argNone, 0x24, 0x27)
	span(argNone, 0x29, 0x2e)
	span(argNone, OpLit0, OpReg31)
	span(argSLEB, OpBreg0, OpBreg31)
	set(argULEB, argSLEB, 0x92)
	set(argULEB, argULEB, 0x9d, 0xa5, 0xf5)
	set(argOffset, argNone, 0x9a, 0xfd)
	set(argBlock, argNone, 0x9e, OpEntryValue, OpGNUEntryValue)
	set(argOffset, argSLEB, 0xa0, 0xf2)
	set(argULEB, argBlock1, 0xa4, 0xf4)
	set(arg1, argULEB, 0xa6, 0xa7, 0xf6)
	return t
}()

// Ops appends the operations of an expression to dst. ok is false if one cannot be decoded.
func (u *Unit) Ops(dst []Op, expr []byte) (ops []Op, ok bool) { return u.ops(dst, expr, u.dwarf64) }

func (u *Unit) ops(dst []Op, expr []byte, wide bool) (ops []Op, ok bool) {
	for pos := 0; pos < len(expr); {
		op := Op{Code: expr[pos]}
		args := operands[op.Code]
		pos++
		if op.A, pos, ok = u.operand(expr, pos, args[0], wide, &op); !ok {
			return dst, false
		}
		if args[1] != argNone {
			if op.B, pos, ok = u.operand(expr, pos, args[1], wide, &op); !ok {
				return dst, false
			}
		}
		dst = append(dst, op)
	}
	return dst, true
}

func (u *Unit) operand(expr []byte, pos int, kind uint8, wide bool, op *Op) (v uint64, next int, ok bool) {
	fixed := 0
	switch kind {
	case argNone:
		return 0, pos, true
	case arg1:
		fixed = 1
	case arg2:
		fixed = 2
	case arg4:
		fixed = 4
	case arg8:
		fixed = 8
	case argAddr:
		fixed = int(u.AddrSize)
	case argOffset:
		if fixed = 4; wide {
			fixed = 8
		}
	case argULEB:
		v, next = uleb(expr, pos)
		return v, next, next != 0
	case argSLEB:
		var s int64
		s, next = sleb(expr, pos)
		return uint64(s), next, next != 0
	case argBlock:
		var n uint64
		if n, pos = uleb(expr, pos); pos == 0 || n > uint64(len(expr)-pos) {
			return 0, 0, false
		}
		op.B = n
		return uint64(pos), pos + int(n), true
	case argBlock1:
		if pos >= len(expr) || int(expr[pos]) > len(expr)-pos-1 {
			return 0, 0, false
		}
		return 0, pos + 1 + int(expr[pos]), true
	default:
		return 0, 0, false
	}
	if pos+fixed > len(expr) {
		return 0, 0, false
	}
	for i := range fixed {
		if u.d.swap {
			v = v<<8 | uint64(expr[pos+i])
		} else {
			v |= uint64(expr[pos+i]) << (8 * i)
		}
	}
	return v, pos + fixed, true
}

// Block returns the bytes of an expression. v is the value of a slot: position and length.
func (u *Unit) Block(v uint64) []byte {
	pos, n := int(uint32(v)), int(v>>32)
	return u.data[pos : pos+n]
}

// FirstOperand evaluates a member offset expression (rule 01/3.2). It returns the operand if the first operation is DW_OP_plus_uconst or
// DW_OP_constu, all ones for any other operation, and 0 for an empty expression.
func (u *Unit) FirstOperand(v uint64) uint64 {
	expr := u.Block(v)
	if len(expr) == 0 {
		return 0
	}
	if expr[0] == OpPlusUconst || expr[0] == OpConstu {
		n, next := uleb(expr, 1)
		if next != 0 {
			return n
		}
	}
	return NoRef
}

// Address returns the fixed address that an expression states (rule 01/6.9). v is the value of a slot. The expression must begin with DW_OP_addr
// or DW_OP_addrx. If it has exactly one more operation and that is DW_OP_plus_uconst, its operand is added. problem says why a stated address
// cannot be read.
func (u *Unit) Address(v uint64) (addr uint64, ok bool, problem string) {
	expr := u.Block(v)
	if len(expr) == 0 || expr[0] != OpAddr && expr[0] != OpAddrx && !(u.d.split && expr[0] == OpGNUAddrIndex) {
		return 0, false, ""
	}
	var buf [3]Op
	ops, ok := u.Ops(buf[:0], expr)
	if !ok {
		return 0, false, "" // like an expression without address
	}
	addr = ops[0].A
	if ops[0].Code != OpAddr {
		if addr, ok = u.addrx(addr); !ok {
			return 0, false, fmt.Sprintf("address %d is not in .debug_addr (%d bytes)", ops[0].A, len(u.d.addr))
		}
	}
	if len(ops) == 2 && ops[1].Code == OpPlusUconst {
		addr += ops[1].A
	}
	return addr, true, ""
}
