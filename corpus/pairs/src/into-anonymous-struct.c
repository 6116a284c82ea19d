/* Members are put into a struct without a name, for an attribute; programs reach them as before. */
#include "pair.h"

struct mm {
	u64 pgd;
#ifdef NEW
	struct {
#endif
	u64 start_code;
	u64 end_code;
#ifdef NEW
	};
#endif
	u64 start_brk;
};

NOINLINE u64 mm_brk(struct mm *mm)
{
	return mm->start_brk - mm->end_code;
}
