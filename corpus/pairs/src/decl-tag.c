/* A struct, a member, a function and a parameter get tags of declarations, which gcc 12 does not know. */
#include "pair.h"

#if defined(NEW) && defined(__clang__)
#define TAG(text) __attribute__((btf_decl_tag(text)))
#else
#define TAG(text)
#endif

struct prog_aux {
	u32 used TAG("locked");
	u32 depth;
} TAG("arena");

NOINLINE TAG("iter") u32 prog_depth(struct prog_aux *aux TAG("nullable"), u32 cpu)
{
	return aux->depth + cpu;
}
