/* A pointer becomes one to const. */
#include "pair.h"

struct file_ops {
	u64 owner;
	u32 flags;
};

struct cdev {
	u32 dev;
#ifdef NEW
	const struct file_ops *ops;
#else
	struct file_ops *ops;
#endif
};

NOINLINE u32 cdev_flags(struct cdev *cdev)
{
	return cdev->ops->flags;
}
