/* A function returns an error instead of nothing, and the name of its parameter changes. */
#include "pair.h"

struct device {
	u64 power;
	u32 id;
};

#ifdef NEW
NOINLINE int device_reset(struct device *dev)
{
	dev->power = 0;
	return dev->id ? 0 : -22;
}
#else
NOINLINE void device_reset(struct device *d)
{
	d->power = 0;
}
#endif
