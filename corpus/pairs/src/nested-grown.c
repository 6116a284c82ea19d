/* A struct that is nested by value three levels down grows. */
#include "pair.h"

struct spinlock {
	u32 val;
#ifdef NEW
	u32 owner_cpu;
	void *owner;
#endif
};

struct wait_queue_head {
	struct spinlock lock;
	void *next, *prev;
};

struct completion {
	u32 done;
	struct wait_queue_head wait;
};

struct vfork {
	int pid;
	struct completion finished;
	struct completion *parent;
	int code;
};

NOINLINE int vfork_code(struct vfork *v)
{
	return v->code;
}

NOINLINE u32 completion_done(struct completion *c)
{
	return c->done + c->wait.lock.val;
}
