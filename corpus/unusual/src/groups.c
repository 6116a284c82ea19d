/* Types of every kind that compilers put into type units, behind pointers and held by others, as parameters and as results. */
enum state { IDLE, BUSY = 7 };
enum big { HUGE = 0x100000000 };

struct list {
	struct list *next, *prev;
};

union word {
	long whole;
	unsigned char bytes[sizeof(long)];
};

struct task {
	struct list queue;
	enum state state;
	union word word;
	unsigned low : 3, high : 5;
	int (*run)(struct task *task, enum state state);
};

typedef struct task task_t;

struct group {
	task_t *leader;
	task_t tasks[4];
	const volatile char *name;
};

enum state change(struct task *task, enum state to, enum big limit)
{
	return task->state == to ? IDLE : to;
}

struct group *start(struct group *group, union word word, struct list *list)
{
	return list->next == list && word.whole == HUGE ? 0 : group;
}
