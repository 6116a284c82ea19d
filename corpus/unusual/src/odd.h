/* What the sources of the odd images share. Nothing here is taken from a kernel. */
#ifndef ODD_H
#define ODD_H

#define __percpu __attribute__((section(".data..percpu"), used))
#define __used __attribute__((used, noinline))

typedef unsigned int u32;
typedef unsigned char u8;

struct list {
	struct list *next;
};

enum state { IDLE, BUSY = 7 };

struct task {
	struct list list;
	enum state state;
	u32 flags : 3, cpu : 9;
	u8 name[16];
	union {
		long word;
		void *ptr;
	};
	int (*run)(struct task *, u32);
};

struct wide {
	long a[3];
};

extern u32 count;
int task_run(struct task *task, u32 flags);
int wide_sum(struct wide wide, u32 by);

#endif
