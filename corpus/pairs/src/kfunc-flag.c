/* A kfunc gets the flag that promises not to touch scratch registers, and a second function becomes a kfunc. */
#include "pair.h"

struct bpf_cpumask {
	u64 bits[2];
	u32 usage;
};

NOINLINE u64 bpf_cpumask_first(struct bpf_cpumask *mask)
{
	return mask->bits[0];
}

NOINLINE void bpf_cpumask_release(struct bpf_cpumask *mask)
{
	mask->usage--;
}

#ifdef NEW
#define FASTCALL "0x1000"
#define COUNT "2"
#else
#define FASTCALL "0"
#define COUNT "1"
#endif

#define MEMBER(symbol, flags) \
	".type " symbol ", %object\n.size " symbol ", 4\n" symbol ":\n.long 0, " flags "\n"

asm(".section .BTF_ids, \"a\"\n.balign 4\n"
    ".type __BTF_ID__set8__cpumask, %object\n"
    "__BTF_ID__set8__cpumask:\n.long " COUNT ", 1\n"
    MEMBER("__BTF_ID__func__bpf_cpumask_first__1", FASTCALL)
#ifdef NEW
    MEMBER("__BTF_ID__func__bpf_cpumask_release__2", "0")
#endif
    ".size __BTF_ID__set8__cpumask, . - __BTF_ID__set8__cpumask\n"
    ".previous\n");
