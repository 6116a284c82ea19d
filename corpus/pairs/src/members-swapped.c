/* Two members change places. */
#include "pair.h"

struct request {
#ifdef NEW
	u32 timeout;
	u32 tag;
#else
	u32 tag;
	u32 timeout;
#endif
	u64 sector;
};

NOINLINE u64 request_sector(struct request *rq)
{
	return rq->sector;
}
