package inspect

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

type dnsIn struct {
	Name string `json:"name" jsonschema:"the name to look up"`
	Type string `json:"type,omitempty" jsonschema:"A, AAAA, CNAME, MX, NS, TXT or SRV; A and AAAA unless given"`
}

type dnsOut struct {
	Records []string `json:"records"`
}

func dnsLookup() (tool.Tool, error) {
	return tool.New(tool.Description{
		Name: "dns_lookup", Title: "Look up a name", Set: tool.Inspect, Text: "Looks a name up in the DNS, as this machine does.",
		ReadOnly: true, Idempotent: true, OpenWorld: true, Outside: true,
	}, lookUp)
}

func lookUp(ctx context.Context, c *tool.Call, in dnsIn) (*dnsOut, error) {
	if in.Name == "" || len(in.Name) > 253 || strings.ContainsAny(in.Name, " /:@\\\"'") {
		return nil, tool.Invalid("%q is no name of the DNS", in.Name)
	}
	// A lookup reaches the servers of whoever owns the name, so it is asked for as any connection is.
	if err := permit(ctx, c, "dns_lookup", "dns", in.Name, 53); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.Limits.Time)
	defer cancel()
	records, err := resolve(ctx, in)
	if err != nil {
		return nil, unreachable(in.Name, err)
	}
	slices.Sort(records)
	return &dnsOut{append([]string{}, records...)}, nil
}

func resolve(ctx context.Context, in dnsIn) (records []string, err error) {
	r := net.DefaultResolver
	switch strings.ToUpper(in.Type) {
	case "":
		return r.LookupHost(ctx, in.Name)
	case "A", "AAAA":
		network := map[string]string{"A": "ip4", "AAAA": "ip6"}[strings.ToUpper(in.Type)]
		addrs, err := r.LookupNetIP(ctx, network, in.Name)
		for _, a := range addrs {
			records = append(records, a.Unmap().String())
		}
		return records, err
	case "CNAME":
		name, err := r.LookupCNAME(ctx, in.Name)
		return []string{name}, err
	case "MX":
		all, err := r.LookupMX(ctx, in.Name)
		for _, m := range all {
			records = append(records, fmt.Sprintf("%d %s", m.Pref, m.Host))
		}
		return records, err
	case "NS":
		all, err := r.LookupNS(ctx, in.Name)
		for _, n := range all {
			records = append(records, n.Host)
		}
		return records, err
	case "TXT":
		return r.LookupTXT(ctx, in.Name)
	case "SRV":
		_, all, err := r.LookupSRV(ctx, "", "", in.Name)
		for _, s := range all {
			records = append(records, fmt.Sprintf("%d %d %d %s", s.Priority, s.Weight, s.Port, s.Target))
		}
		return records, err
	}
	return nil, tool.Invalid("%q is no type that can be looked up: A, AAAA, CNAME, MX, NS, TXT or SRV", in.Type)
}
