/* Declaration tags wherever compilers take them. */
#define TAG(x) __attribute__((btf_decl_tag(x)))

struct tagged {
	int member TAG("member") TAG("member again");
	int bits : 3 TAG("bits");
};
union either {
	int member TAG("of union");
};
typedef int number TAG("typedef");
extern int declared TAG("declaration");
int declared = 1;
int variable TAG("variable") TAG("variable again") = 2;
union either either;

TAG("function") __attribute__((noinline)) int function(struct tagged *t, number n TAG("parameter"))
{
	__asm__ volatile("" : : "r"(t), "r"(n) : "memory");
	return t->member + n;
}

int start(struct tagged *t)
{
	return function(t, variable) + declared + either.member;
}
