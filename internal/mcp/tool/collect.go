package tool

// Collect makes the tools of a set: one function a tool.
func Collect(each ...func() (Tool, error)) ([]Tool, error) {
	all := make([]Tool, 0, len(each))
	for _, makeTool := range each {
		t, err := makeTool()
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}
