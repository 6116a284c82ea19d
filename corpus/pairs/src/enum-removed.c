/* An enumerator goes, another one gets another name; the values of the others stay. */
#include "pair.h"

enum hctx_type {
	HCTX_TYPE_DEFAULT = 0,
	HCTX_TYPE_READ = 1,
#ifndef NEW
	HCTX_TYPE_LEGACY = 2,
#endif
#ifdef NEW
	HCTX_TYPE_POLLED = 3,
#else
	HCTX_TYPE_POLL = 3,
#endif
	HCTX_TYPE_FUA = 4
};

NOINLINE int hctx_type_of(enum hctx_type type)
{
	return type + 1;
}
