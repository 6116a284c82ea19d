/* A member is inserted in the middle of a struct, which grows; what holds the struct by value follows. */
#include "pair.h"

struct sched_entity {
	u64 load;
#ifdef NEW
	u64 deadline;
#endif
	u64 vruntime;
	u32 on_rq;
};

struct task {
	int prio;
	struct sched_entity se;
	int pid;
	char comm[16];
};

NOINLINE int task_pid(struct task *t)
{
	return t->pid + t->prio;
}
