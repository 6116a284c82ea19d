/* A member is put into a hole: nothing moves and no size changes. */
#include "pair.h"

struct cred {
	u32 uid;
#ifdef NEW
	u32 securebits;
#endif
	u64 caps;
};

struct file {
	u64 f_pos;
	struct cred f_cred;
};

NOINLINE u64 file_pos(struct file *f)
{
	return f->f_pos + f->f_cred.caps;
}
