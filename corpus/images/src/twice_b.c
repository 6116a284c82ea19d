#include "twice.h"

struct second {
	long value;
	struct second *next;
};

int other __attribute__((section(".data..percpu")));

ONCE int twice(int value)
{
	return value * 2;
}

int two(struct second *s)
{
	return twice(s->value) + other;
}

int three(void)
{
	return 3;
}
