/* Function pointers, dots, 64-bit parameters, kfuncs, an exit call, structs that others or nobody define. */
#include "kernel.h"

struct device {
	const char *name;
	struct file *files;
	u64 id;
	struct driver *driver; /* never defined */
	union key *key;        /* neither */
};

static DEFINE_PER_CPU(long, counter); /* static in two units, with another type */
DEFINE_PER_CPU(struct file *, last_file);

struct file *init_file;

noinline s64 vfs_seek(struct file *f, s64 off, int whence)
{
	switch (whence) {
	case 0:
		f->pos = off;
		break;
	case 1:
		f->pos += off;
		break;
	}
	f->dirty = 1;
	return f->pos;
}

noinline int file_printf(struct file *f, const char *fmt, ...)
{
	__builtin_va_list ap;
	int n;

	__builtin_va_start(ap, fmt);
	n = __builtin_va_arg(ap, int) + *fmt;
	__builtin_va_end(ap);
	return n + f->flags;
}

static noinline void file_release(struct file *f)
{
	counter--;
	f->list.next = &f->list;
}

static inline int only_inlined(struct file *f)
{
	return f->mode * 3;
}

static inline int kept_inline(struct file *f, int by)
{
	return f->flags + by;
}

static const struct file_operations ops = { vfs_seek, file_printf, file_release };
int (*keeper)(struct file *, int) = kept_inline;

/* a kfunc, one that is fast, and one that an id set names though it does not exist */
noinline int bpf_file_get(struct file *f DECL_TAG("arg"), u32 flags)
{
	last_file = f;
	return only_inlined(f) + kept_inline(f, flags);
}

noinline u64 bpf_file_pos(const struct file *f)
{
	return f->pos;
}

BTF_KFUNCS_START(file_kfuncs)
BTF_ID_FLAGS(bpf_file_get, 1, 2)
BTF_ID_FLAGS(bpf_file_pos, 2, 0x1000)
BTF_ID_FLAGS(bpf_file_gone, 3, 0)
BTF_KFUNCS_END(file_kfuncs)

__section(".init.text") int late_init(void)
{
	init_file->ops = &ops;
	return bpf_file_get(init_file, 1) + (int)bpf_file_pos(init_file);
}

static void fs_exit(void)
{
	init_file = NULL;
}
__exitcall(fs_exit);
