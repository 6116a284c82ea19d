/* A typedef becomes a struct of one number, for the sake of type checks, as the kernel does with kuid_t. */
#include "pair.h"

#ifdef NEW
typedef struct {
	u32 val;
} kuid_t;
#define VAL(uid) (uid).val
#else
typedef u32 kuid_t;
#define VAL(uid) (uid)
#endif

struct user {
	kuid_t uid;
	u32 processes;
};

NOINLINE u32 user_id(struct user *user)
{
	return VAL(user->uid);
}
