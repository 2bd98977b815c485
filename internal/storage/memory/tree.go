package memory

import "math/rand/v2"

// node is the root of a treap: a search tree by key and a heap by a random rank, which keeps it balanced on average
// (Seidel and Aragon, Randomized Search Trees, 1996). Nodes are never changed; put and remove copy the path to the
// root, so that any number of readers keep their trees. A nil *node is the empty tree.
type node struct {
	key         string
	value       []byte
	rank        uint64
	left, right *node
}

func (n *node) find(key string) *node {
	for n != nil && n.key != key {
		if key < n.key {
			n = n.left
		} else {
			n = n.right
		}
	}
	return n
}

func (n *node) put(key string, value []byte) *node {
	if n == nil {
		return &node{key: key, value: value, rank: rand.Uint64()}
	}
	c := *n
	switch {
	case key == n.key:
		c.value = value
	case key < n.key:
		c.left = n.left.put(key, value)
		if l := c.left; l.rank > c.rank { // l is new, as it is on the path
			c.left, l.right = l.right, &c
			return l
		}
	default:
		c.right = n.right.put(key, value)
		if r := c.right; r.rank > c.rank {
			c.right, r.left = r.left, &c
			return r
		}
	}
	return &c
}

func (n *node) remove(key string) *node {
	if n.find(key) == nil {
		return n
	}
	if key == n.key {
		return merge(n.left, n.right)
	}
	c := *n
	if key < n.key {
		c.left = n.left.remove(key)
	} else {
		c.right = n.right.remove(key)
	}
	return &c
}

// merge joins two trees, all keys of a being below those of b.
func merge(a, b *node) *node {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	case a.rank > b.rank:
		c := *a
		c.right = merge(a.right, b)
		return &c
	default:
		c := *b
		c.left = merge(a, b.left)
		return &c
	}
}

// ascend calls fn for the nodes from key from on, in order, until it returns false.
func (n *node) ascend(from string, fn func(*node) bool) bool {
	if n == nil {
		return true
	}
	if n.key >= from && (!n.left.ascend(from, fn) || !fn(n)) {
		return false
	}
	return n.right.ascend(from, fn)
}
