package change

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/verify/report"
)

// Where a change can be remembered.
const (
	inAnnotation = "annotation"
	inConfigMap  = "configmap"
	nowhere      = "none"
)

// recordTime bounds the write of a verdict into the history: a note, whose loss is only warned about.
const recordTime = 5 * time.Second

// readMemory reads what is remembered outside of the object, while read does something else, and settles where the change is to be
// remembered. Flagger writes the annotations of its objects anew, and with them goes our history; whoever writes over its head has
// said so.
func (c *course) readMemory(ctx context.Context, read func()) {
	done := make(chan struct{})
	var err error
	go func() {
		defer close(done)
		c.elsewhere, err = c.subject.Client.Remembered(ctx, c.subject.Object)
	}()
	read()
	<-done
	switch {
	case c.options.History != "":
		c.memory = c.options.History
	case slices.Contains(c.options.Guard.Overrides, "flagger"), c.elsewhere.Newest() > route.HistoryOf(c.subject.Object.Object).Newest():
		c.memory = inConfigMap
	default:
		c.memory = inAnnotation
	}
	if err != nil && c.options.Verb == "undo" {
		c.screen.Warn("changes that ConfigMap %s may remember are not known: %s", mesh.Notes, report.Safe(firstLine(err)))
	}
}

// planOptions are who, when and where the change is remembered.
func (c *course) planOptions(verdict string) route.Options {
	return route.Options{Operation: c.options.Verb, By: c.by, At: c.options.Now(), Verdict: verdict,
		NoHistory: c.memory != inAnnotation, Elsewhere: c.elsewhere}
}

// forewarn says what the history will lack, before anything is written.
func (c *course) forewarn() {
	warnings := c.plan.Warnings
	if c.memory == inConfigMap {
		warnings = c.elsewhere.Forewarn(c.plan)
	}
	for _, warning := range warnings {
		c.screen.Warn("W_HISTORY: %s", report.Safe(warning))
	}
}

func (c *course) patchOptions() mesh.PatchOptions {
	return mesh.PatchOptions{Manager: c.options.Manager, Noted: c.memory == inConfigMap}
}

// wayBack is the command that takes the change back. What takes back an undo is to restore what the undone change had set. What is
// remembered nowhere is set again by hand.
func (c *course) wayBack() string {
	if c.memory == nowhere {
		commands := c.plan.Back()
		for i := range commands {
			if c.subject.Client.Context != "" && c.subject.Client.Context != mesh.InClusterContext {
				commands[i] += " --context " + c.subject.Client.Context
			}
		}
		return strings.Join(commands, " && ")
	}
	if items := c.plan.Items; len(items) > 0 && items[0].Undoes > 0 {
		return c.subject.Command("undo", "--to-revision", strconv.FormatInt(items[0].Undoes, 10))
	}
	return c.subject.Command("undo")
}

// undo is how the change is taken back, for people. There is no command where nothing remembers weights that were no split.
func (c *course) undo() string {
	if c.doc.Undo == "" {
		return "no command: the weights before were no split, and --history=none remembers none"
	}
	return c.doc.Undo
}

// record writes the verdict of the change into the object's history, of each route its own.
func (c *course) record(ctx context.Context, out outcome) {
	if out.verdict == "" && out.each == nil || c.plan.ID() == 0 || !c.options.Verify {
		return
	}
	verdicts := map[int64]string{}
	for _, item := range c.plan.Items {
		verdicts[item.ID] = out.verdict
		for i, change := range c.plan.Changes {
			if out.each != nil && change.Entry.Label() == item.Route {
				verdicts[item.ID] = out.each[i]
			}
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	if err := c.settle(ctx, verdicts); err != nil {
		c.screen.Warn("the verdict is not in the history: %s", report.Safe(firstLine(err)))
	}
}

func (c *course) settle(ctx context.Context, verdicts map[int64]string) error {
	client := c.subject.Client
	switch c.memory {
	case nowhere:
		return nil
	case inConfigMap:
		return client.Settle(ctx, c.subject.Object, verdicts)
	}
	now, err := client.Get(ctx, c.subject.Object.Kind, c.subject.Object.GetName())
	if err != nil {
		return err
	}
	plan, err := route.PlanVerdicts(now.Object, verdicts)
	if err != nil {
		return err
	}
	_, err = client.Patch(ctx, now, plan, mesh.PatchOptions{Manager: c.options.Manager})
	return err
}
