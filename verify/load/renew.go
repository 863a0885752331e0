package load

import "time"

// renewEvery bounds how often a credential is asked for.
const renewEvery = time.Second

// renew asks for another request because a reply said 401, in the background: what is under way goes on meanwhile.
func (x *run) renew() {
	if !x.renewing.CompareAndSwap(false, true) {
		return
	}
	now := int64(x.r.now())
	if last := x.renewed.Load(); last > 0 && now-last < int64(renewEvery) {
		x.renewing.Store(false)
		return
	}
	x.renewed.Store(now)
	x.background.Go(func() {
		defer x.renewing.Store(false)
		octets, slots, err := x.plan.Renew(x.dialing)
		x.r.pace.mu.Lock()
		defer x.r.pace.mu.Unlock()
		switch {
		case x.dialing.Err() != nil: // the end of the run has ended it
		case err != nil:
			x.r.pace.renewError = err.Error()
		default:
			x.message.Store(newMessage(octets, slots))
			x.r.pace.renewals++
		}
	})
}
