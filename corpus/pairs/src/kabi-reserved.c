/* A reserved member is put to use, as distributions do that keep their kernel's ABI: in a union with what was there. */
#include "pair.h"

struct sysv_sem {
	u32 semadj;
};

struct ext_slot {
	u64 used;
	u64 kabi_reserved1;
	u64 kabi_reserved2;
#ifdef NEW
	union {
		struct sysv_sem sysvsem;
		u64 kabi_reserved3;
	};
#else
	u64 kabi_reserved3;
#endif
};

NOINLINE u64 ext_used(struct ext_slot *slot, struct sysv_sem *sem)
{
	return slot->used + sem->semadj;
}
