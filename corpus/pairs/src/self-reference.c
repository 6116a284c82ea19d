/* A struct grows that points to itself, and that two others point to, in a circle. */
#include "pair.h"

struct node;

struct tree {
	struct node *root;
	u64 count;
};

struct node {
	struct node *left, *right;
	struct tree *tree;
#ifdef NEW
	u64 color;
#endif
	u64 key;
};

NOINLINE u64 tree_key(struct tree *tree)
{
	return tree->root->left->key;
}

NOINLINE u64 node_count(struct node *node)
{
	return node->tree->count;
}
