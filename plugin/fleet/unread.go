package fleet

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/plugin/subject"
)

// unreadTime bounds the questions of Unread: whoever asks has waited long enough already.
const unreadTime = 5 * time.Second

// Unread says what keeps istiod from reading the object for the gateways that could be read and lack its weights. It asks the API
// server nothing where there is no such gateway.
func Unread(ctx context.Context, s *subject.Subject, views ...View) []route.Unread {
	var behind []mesh.Pod
	for _, v := range views {
		for _, sight := range v.Sights {
			if behindhand(sight) && !slices.ContainsFunc(behind, func(p mesh.Pod) bool { return p.String() == sight.Pod.String() }) {
				behind = append(behind, sight.Pod)
			}
		}
	}
	if len(behind) == 0 || s.Gateways == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, unreadTime)
	defer cancel()
	return s.Client.Unread(ctx, s.Object, s.Gateways, behind)
}

// Because joins causes, and what to do about them, with the words for where no cause is known.
func Because(unread []route.Unread, cause, advice string) (string, string) {
	if len(unread) == 0 {
		return cause, advice
	}
	var says, advices []string
	for _, u := range unread {
		says, advices = append(says, u.Says), append(advices, u.Advice)
	}
	return cause + ": " + strings.Join(says, "; "), strings.Join(advices, "; ")
}
