//go:build !unix || aix || android || solaris

package bolt

import "os"

// unlock does nothing: the locks of these systems end when the file is closed, whatever is still mapped.
func unlock(*os.File) error { return nil }
