/* A unit of C beside those of other languages. */
#include "odd.h"

u32 count __percpu = 1;

int __used start(struct task *task)
{
	return task->cpu;
}
