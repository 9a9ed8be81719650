package cpu

// tasks holds the arguments of the operation that the pool works on, one struct for each kind, so that a step
// allocates none.
type tasks struct {
	embed  embedTask
	norm   normTask
	linear linearTask
	rope   ropeTask
	attend attendTask
	draw   drawTask
}
