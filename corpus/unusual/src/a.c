/* The first unit: what both units use, and a struct of its own. */
#include "odd.h"

struct only_a {
	struct task *task;
	const volatile u8 *bytes;
};

u32 count __percpu = 1;
struct only_a pair __percpu = { 0 };

static inline u32 twice(u32 n)
{
	return n + n;
}

int __used task_run(struct task *task, u32 flags)
{
	return task->cpu + twice(flags);
}

int __used start(struct only_a *a)
{
	return a->bytes[task_run(a->task, 3)];
}
