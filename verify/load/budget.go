package load

import (
	"math"
	"sync/atomic"
)

// leaseBlock is how many requests a shard takes from the pool at once, so that the pool's cache line is rarely shared.
const leaseBlock = 64

// budget is the cap on requests. Shards lease from it in blocks, and take what others hold when the pool is empty, so the
// total is exact and no request is withheld because a stuck connection sits on a lease.
type budget struct {
	total  uint64
	pool   atomic.Int64
	moving atomic.Int32 // blocks on their way from the pool to a lease
	leases []lease
}

type lease struct {
	left atomic.Int64
	_    [56]byte // a cache line of its own
}

func newBudget(total uint64, shards int) *budget {
	total = min(total, math.MaxInt64) // the pool counts down in an int64
	b := &budget{total: total, leases: make([]lease, shards)}
	b.pool.Store(int64(total))
	return b
}

// take allows one request of a shard; false means that the cap is reached.
func (b *budget) take(shard int) bool {
	for {
		if b.leases[shard].take() {
			return true
		}
		if b.refill(shard) {
			return true
		}
		moving := b.moving.Load()
		for i := range b.leases {
			if b.leases[i].take() {
				return true
			}
		}
		// A block that was on its way may have gone where this had already looked.
		if moving == 0 && b.pool.Load() <= 0 {
			return false
		}
	}
}

// refill leases a block, one of which is taken at once.
func (b *budget) refill(shard int) bool {
	b.moving.Add(1)
	defer b.moving.Add(-1)
	for {
		left := b.pool.Load()
		if left <= 0 {
			return false
		}
		n := min(left, leaseBlock)
		if b.pool.CompareAndSwap(left, left-n) {
			b.leases[shard].left.Add(n - 1)
			return true
		}
	}
}

func (l *lease) take() bool {
	for {
		n := l.left.Load()
		if n <= 0 {
			return false
		}
		if l.left.CompareAndSwap(n, n-1) {
			return true
		}
	}
}

// empty says whether the cap is reached.
func (b *budget) empty() bool { return b.sent() >= b.total }

// sent is how many requests were allowed. Under load it may for an instant be high by a block per shard.
func (b *budget) sent() uint64 {
	var held int64
	for i := range b.leases {
		held += b.leases[i].left.Load()
	}
	return b.total - uint64(max(b.pool.Load(), 0)+held)
}
