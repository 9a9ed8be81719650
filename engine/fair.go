package engine

// account counts the tokens computed for one key. Only the engine goroutine touches it.
type account struct {
	key    string
	served uint64
	live   int // requests in the engine
}

// accounts serve FairShare: who was served least goes first. A key that comes back after a while begins where the
// least served of those present is, so that nobody saves up a claim by staying away (Sheng et al. 2024,
// arXiv:2401.00588, "virtual token counter").
type accounts map[string]*account

// idleAccounts bounds how many keys are remembered that have no request.
const idleAccounts = 4096

// open counts a request of key in.
func (a accounts) open(key string) *account {
	c := a[key]
	if c == nil {
		c = &account{key: key}
		a[key] = c
	}
	if c.live == 0 {
		c.served = max(c.served, a.least())
	}
	c.live++
	return c
}

// least is the least that a key with requests was served; 0 without one.
func (a accounts) least() (least uint64) {
	first := true
	for _, c := range a {
		if c.live > 0 && (first || c.served < least) {
			least, first = c.served, false
		}
	}
	return least
}

// close counts a request out. When too many keys are idle, this one is forgotten if it has no other.
func (a accounts) close(c *account) {
	if c.live--; c.live == 0 && len(a) > idleAccounts {
		delete(a, c.key)
	}
}
