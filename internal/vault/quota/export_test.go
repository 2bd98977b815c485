package quota

// Clients counts the clients that a rule remembers.
func (l *Limiter) Clients(rule string) int { return len(l.rules[rule].clients) }
