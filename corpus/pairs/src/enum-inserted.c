/* An enumerator is inserted in the middle: the values of all after it change. */
#include "pair.h"

enum bpf_map_type {
	BPF_MAP_HASH,
	BPF_MAP_ARRAY,
#ifdef NEW
	BPF_MAP_TRIE,
#endif
	BPF_MAP_QUEUE,
	BPF_MAP_STACK,
	BPF_MAP_RING,
	BPF_MAP_BLOOM,
	BPF_MAP_ARENA
};

struct bpf_map {
	enum bpf_map_type map_type;
	u32 max_entries;
};

NOINLINE u32 bpf_map_entries(struct bpf_map *map)
{
	return map->max_entries + map->map_type;
}
