/* What the sources of the test images share: kernel-like macros and types. Nothing here is taken from a kernel. */
#ifndef KERNEL_H
#define KERNEL_H

#ifdef __clang__
#define TYPE_TAG(x) __attribute__((btf_type_tag(x)))
#define DECL_TAG(x) __attribute__((btf_decl_tag(x)))
#else
#define TYPE_TAG(x)
#define DECL_TAG(x)
#endif

#define noinline __attribute__((noinline))
#define __used __attribute__((used))
#define __weak __attribute__((weak))
#define __packed __attribute__((packed))
#define __section(s) __attribute__((section(s)))
#define NULL ((void *)0)

/*
 * Per-CPU variables sit in input sections that the linker script merges into .data..percpu. Link-time optimisation
 * would drop those that nothing reads.
 */
#ifdef LTO
#define __percpu(sub) __section(".data..percpu" sub) __used
#else
#define __percpu(sub) __section(".data..percpu" sub)
#endif
#define DEFINE_PER_CPU(type, name) __percpu("") __typeof__(type) name
#define DEFINE_PER_CPU_FIRST(type, name) __percpu("..first") __typeof__(type) name
#define DEFINE_PER_CPU_ALIGNED(type, name) \
	__percpu("..shared_aligned") __typeof__(type) name __attribute__((aligned(64)))

/* Variables of sections that the linker drops: their DWARF address becomes 0. */
#define __ADDRESSABLE(sym, n) \
	static void *__section(".discard.addressable") __used __UNIQUE_ID___addressable_##sym##n = (void *)&sym
#define __exitcall(fn) static exitcall_t __exitcall_##fn __used __section(".discard.exitcall") = fn
#define PCPU_UNIQUE(name) char __section(".discard") __pcpu_unique_##name

/* A set of ids as kfuncs have it: id and flags words, filled in after linking. */
#define BTF_KFUNCS_START(name) \
	asm(".pushsection .BTF_ids,\"a\"\n.balign 4\n.local __BTF_ID__set8__" #name \
	    "\n.type __BTF_ID__set8__" #name ", %object\n__BTF_ID__set8__" #name ":\n.zero 4\n.long 1\n.popsection\n");
#define BTF_ID_FLAGS(fn, n, flags) \
	asm(".pushsection .BTF_ids,\"a\"\n.local __BTF_ID__func__" #fn "__" #n "\n.type __BTF_ID__func__" #fn "__" #n \
	    ", %object\n.size __BTF_ID__func__" #fn "__" #n ", 4\n__BTF_ID__func__" #fn "__" #n \
	    ":\n.zero 4\n.long " #flags "\n.popsection\n");
#define BTF_KFUNCS_END(name) \
	asm(".pushsection .BTF_ids,\"a\"\n.size __BTF_ID__set8__" #name ", .-__BTF_ID__set8__" #name "\n.popsection\n");

typedef _Bool bool;
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef int s32;
typedef unsigned long long u64;
typedef long long s64;
typedef unsigned long size_t;
typedef u64 dma_addr_t;
typedef dma_addr_t phys_t; /* a chain of typedefs */
typedef int (*initcall_t)(void);
typedef void (*exitcall_t)(void);

struct list_head {
	struct list_head *next, *prev;
};

struct device; /* defined in fs.c only */

struct file {
	struct list_head list;
	const struct file_operations *ops;
	struct device *dev;
	s64 pos;
	u32 flags : 4, mode : 12;
	bool dirty : 1;
};

struct file_operations {
	s64 (*seek)(struct file *, s64, int);
	int (*printf)(struct file *, const char *, ...);
	void (*release)(struct file *);
};

static inline u32 rotate(u32 v, u32 by)
{
	return v << (by & 31) | v >> (-by & 31);
}

s64 vfs_seek(struct file *f, s64 off, int whence);
int file_printf(struct file *f, const char *fmt, ...);
int start_kernel(void);
int sched_pick(int cpu);
u32 hash_bytes(const void *p, size_t n);
int arch_setup(int flags);
void entry(void);

extern struct file *init_file;
extern int system_state;

#endif
