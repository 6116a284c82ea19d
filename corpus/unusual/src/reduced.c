#include "other.h"

struct local {
	mask_t mask;
	value_t *value;
	struct header *pointer;
	struct header full;
};

int use(mask_t *m, struct local *l, value_t v)
{
	return m->bits[0] + l->full.a + v.i;
}

struct local local;

void start(void)
{
	value_t v = { 0 };

	use(&local.mask, &local, v);
	for (;;)
		;
}
