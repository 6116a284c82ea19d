/* A function takes a parameter more, in the middle. */
#include "pair.h"

struct kiocb {
	u64 ki_pos;
	u32 ki_flags;
};

#ifdef NEW
NOINLINE u64 file_read(struct kiocb *iocb, void *buf, u32 flags, u64 count)
{
	return iocb->ki_pos + (u64)buf + flags + count;
}
#else
NOINLINE u64 file_read(struct kiocb *iocb, void *buf, u64 count)
{
	return iocb->ki_pos + (u64)buf + count;
}
#endif
