/* A module for split BTF: types that are the kernel's, that look like them, and that complete what the kernel only declares. */
#include "kernel.h"

/* The kernel's own. */
enum wide { WIDE_LOW = 1, WIDE_HIGH = 1ULL << 40 };
union value {
	u32 word;
	u8 bytes[4];
	struct {
		u16 low, high;
	};
};
struct numbers {
	float f;
	double d;
	long double ld;
	bool yes;
	char c;
	signed char sc;
#ifdef __SIZEOF_INT128__
	__int128 s128;
	unsigned __int128 u128;
#endif
};
struct device {
	const char *name;
	struct file *files;
	u64 id;
	struct driver *driver;
	union key *key;
};
typedef int (*cmp_t)(const void *restrict, const void *restrict);

/* Declared by the kernel, defined here. */
struct driver {
	struct list_head drivers; /* by value: its size matters */
	enum wide wide;
	union value values[3];
	struct driver *next;
	struct nobody *nobody;
};
union key {
	u64 number;
	struct numbers *numbers;
};

/* The kernel has others of this name. */
struct conflict {
	float b;
};

DEFINE_PER_CPU(struct conflict, conflicts);
static struct driver driver;
static enum wide width = WIDE_HIGH;

noinline int driver_attach(struct device *dev, cmp_t compare, const struct conflict *c)
{
	dev->driver = &driver;
	dev->key = NULL;
	return compare(dev, c) + (width > dev->id);
}

noinline double driver_sum(const struct numbers *n, double scale)
{
	return n->f + n->d * scale;
}
