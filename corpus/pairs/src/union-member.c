/* A union gets a member that is larger than all others, and the struct that holds the union grows. */
#include "pair.h"

union bpf_attr {
	u32 map_type;
	u64 prog_fd;
#ifdef NEW
	struct {
		u64 link_fd;
		u64 flags;
	} link;
#endif
};

struct bpf_call {
	union bpf_attr attr;
	u32 size;
};

NOINLINE u32 bpf_call_size(struct bpf_call *call)
{
	return call->size + call->attr.map_type;
}
