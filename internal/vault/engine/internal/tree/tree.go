// Package tree walks the names of a storage as engines show them: folders end in "/".
package tree

import (
	"context"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/storage"
)

// Walk returns the names of all entries below prefix, which is empty or ends in "/", relative to it. A folder's entries come
// before those of its folders, and of those the last comes first: the order in which OpenBao scans.
func Walk(ctx context.Context, r storage.Reader, prefix string) ([]string, error) {
	var names []string
	folders := []string{""}
	for len(folders) > 0 {
		folder := folders[len(folders)-1]
		folders = folders[:len(folders)-1]
		list, err := r.List(ctx, prefix+folder, "", 0)
		if err != nil {
			return nil, err
		}
		for _, name := range list {
			if strings.HasSuffix(name, "/") {
				folders = append(folders, folder+name)
			} else {
				names = append(names, folder+name)
			}
		}
	}
	return names, nil
}

// Folder makes a path end in "/" unless it is empty.
func Folder(path string) string {
	if path == "" || strings.HasSuffix(path, "/") {
		return path
	}
	return path + "/"
}
