/* With twice_b.c: the linker drops one of two functions, and on MIPS its entry of .pdr, but no relocation of .rel.pdr. */
#include "twice.h"

struct first {
	int value;
	struct first *next;
};

int counter __attribute__((section(".data..percpu")));

ONCE int twice(int value)
{
	return value * 2;
}

int one(struct first *f)
{
	return twice(f->value) + counter;
}
