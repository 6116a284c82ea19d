/* A bit field becomes a member of its own. */
#include "pair.h"

struct path {
	u32 state;
#ifdef NEW
	u32 failed;
#else
	u32 failed : 1;
#endif
	u32 errors;
};

NOINLINE u32 path_errors(struct path *path)
{
	return path->errors + path->failed;
}
