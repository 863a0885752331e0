package route

// Diff is a unified diff of the object's YAML that shows the weight lines, its header naming context, namespace and object.
func (p *Plan) Diff(context string) string { panic("being built") }

// Lines say what happens to each destination, in the order of the plan: "v2 10 % → 30 % (30 of 100)".
func (p *Plan) Lines() []string { panic("being built") }
