/* A struct becomes a union of the same name. */
#include "pair.h"

#ifdef NEW
#define BODY union
#else
#define BODY struct
#endif

BODY thread_stack {
	u64 info;
	u64 stack;
};

struct thread {
	BODY thread_stack stack;
	u32 cpu;
};

NOINLINE u32 thread_cpu(struct thread *t)
{
	return t->cpu + t->stack.info;
}
