package barrier

// ExportRoot calls fn with the root key, for a backup that opens without the seal. fn must not keep it.
func (b *Barrier) ExportRoot(fn func(material []byte) error) error {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.ring == nil {
		return ErrSealed
	}
	return b.root.Export(fn)
}
