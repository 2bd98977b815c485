package database

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/exchange"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/login"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/internal/table"
	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool"
)

// rabbitColumns are the fields that are shown, by what is asked for; the API's own reference describes them. Definitions and
// users are not among these: they hold hashes of passwords.
func rabbitColumns() map[string]string {
	return map[string]string{
		"overview":    "cluster_name,rabbitmq_version,erlang_version,object_totals,queue_totals,message_stats,listeners",
		"queues":      "name,vhost,type,state,durable,auto_delete,messages,messages_ready,messages_unacknowledged,consumers,memory,idle_since,policy",
		"exchanges":   "name,vhost,type,durable,auto_delete,internal,message_stats",
		"bindings":    "source,vhost,destination,destination_type,routing_key,arguments",
		"connections": "name,user,vhost,state,peer_host,peer_port,protocol,channels,recv_oct,send_oct,ssl",
		"channels":    "name,vhost,user,state,consumer_count,prefetch_count,messages_unacknowledged,messages_unconfirmed",
		"consumers":   "consumer_tag,queue,ack_required,prefetch_count,active",
		"nodes":       "name,running,uptime,mem_used,mem_limit,mem_alarm,disk_free,disk_free_limit,disk_free_alarm,fd_used,fd_total,sockets_used,proc_used",
		"vhosts":      "name,description,tags,messages,messages_ready,messages_unacknowledged",
		"permissions": "user,vhost,configure,write,read",
		"policies":    "name,vhost,pattern,apply-to,priority,definition",
	}
}

// ofVhost lists what can be asked for one virtual host only.
func ofVhost() []string {
	return []string{"queues", "exchanges", "bindings", "connections", "channels", "consumers", "permissions", "policies"}
}

type rabbitIn struct {
	About      string `json:"about,omitempty" jsonschema:"overview, queues, exchanges, bindings, connections, channels, consumers, nodes, vhosts, permissions or policies; overview unless given"`
	Vhost      string `json:"vhost,omitempty" jsonschema:"only this virtual host; all unless given"`
	Connection string `json:"connection,omitempty" jsonschema:"name or zvault:// address of the secret that holds the URL of the management API, https://user:password@host:15671, or an amqp:// URL, of which host and login are taken; RABBITMQ_URL unless given"`
	Env        string `json:"env,omitempty" jsonschema:"environment of the secret; the one in force unless given"`
}

type rabbitOut struct {
	Items     []any  `json:"items" jsonschema:"what was asked for, one object each"`
	Truncated bool   `json:"truncated" jsonschema:"whether there are more than are here"`
	Hint      string `json:"hint,omitempty" jsonschema:"how to get the rest"`
}

func rabbitMQStatus(*state) (tool.Tool, error) {
	return tool.New(tool.Description{
		Name: "rabbitmq_status", Title: "Status of RabbitMQ", Set: tool.Proxy,
		Text: "Shows queues, connections, nodes and more of a RabbitMQ, from its management API, with the URL in a secret, which nobody " +
			"sees. It reads no messages.",
		ReadOnly: true, Idempotent: true, OpenWorld: true, Outside: true,
	}, runRabbitMQ)
}

func runRabbitMQ(ctx context.Context, c *tool.Call, in rabbitIn) (rabbitOut, error) {
	if in.About == "" {
		in.About = "overview"
	}
	known := rabbitColumns()
	columns, ok := known[in.About]
	if !ok {
		return rabbitOut{}, tool.Invalid("about is one of %s", strings.Join(slices.Sorted(maps.Keys(known)), ", "))
	}
	if in.Vhost != "" && !slices.Contains(ofVhost(), in.About) {
		return rabbitOut{}, tool.Invalid("%s are not of a virtual host", in.About)
	}
	path := "/api/" + in.About
	switch {
	case in.Vhost == "":
	case in.About == "connections" || in.About == "channels" || in.About == "permissions":
		path = "/api/vhosts/" + url.PathEscape(in.Vhost) + "/" + in.About
	default:
		path += "/" + url.PathEscape(in.Vhost)
	}
	l, err := login.Open(ctx, c, login.Request{
		Tool: "rabbitmq_status", Connection: in.Connection, Env: in.Env, Default: "RABBITMQ_URL",
		Schemes: map[string]int{"http": 15672, "https": 15671, "amqp": 15672, "amqps": 15671},
		Method:  http.MethodGet, Path: path, Statement: in.Vhost,
		Ports: map[string]int{"amqp": 15672, "amqps": 15671}, // the URL's own port is that of AMQP
	})
	if err != nil {
		return rabbitOut{}, err
	}
	if strings.HasPrefix(l.Scheme, "amqp") { // its path is a virtual host
		l = l.WithoutPath()
	}
	request := exchange.Request{
		Method: http.MethodGet, Path: path, Query: url.Values{"columns": {columns}}, Header: http.Header{}, Most: login.MaxAnswer,
	}
	switch in.About {
	case "queues", "exchanges", "connections", "channels": // those that the server gives in pages
		request.Query.Set("page", "1")
		request.Query.Set("page_size", strconv.Itoa(min(c.Limits.Rows, 500))) // the server's own limit
		request.Query.Set("pagination", "true")
	}
	basic := http.Request{Header: request.Header}
	basic.SetBasicAuth(l.User, string(l.Password.Reveal()))
	answer, err := exchange.Do(ctx, l, c.Limits, request)
	if err != nil {
		return rabbitOut{}, exchange.Failure("RabbitMQ", err)
	}
	return rabbitItems(answer, c.Limits)
}

// rabbitItems reads an answer: an object, a list, or a page of one.
func rabbitItems(a *exchange.Answer, limits tool.Limits) (rabbitOut, error) {
	var items []json.RawMessage
	var page struct {
		Items *[]json.RawMessage `json:"items"`
		Total int                `json:"filtered_count"`
	}
	odd := tool.Failed("failed", "the server does not answer as RabbitMQ's management API does, or with too much")
	if json.Unmarshal(a.Body, &items) != nil {
		if json.Unmarshal(a.Body, &page) != nil {
			return rabbitOut{}, odd
		}
		items = []json.RawMessage{a.Body}
		if page.Items != nil {
			items = *page.Items
		}
	}
	b := table.New(limits)
	b.Columns = []table.Column{{Name: "the item"}}
	for _, item := range items {
		if !b.Add([]any{append(json.RawMessage{}, item...)}) {
			break
		}
	}
	if page.Total > len(items) {
		b.More()
	}
	r := b.Done()
	out := rabbitOut{Items: []any{}, Truncated: r.Truncated, Hint: r.Hint}
	for _, row := range r.Rows {
		out.Items = append(out.Items, row[0])
	}
	if page.Total > len(out.Items) {
		out.Truncated, out.Hint = true, "there are "+strconv.Itoa(page.Total)+" in all; name a vhost for fewer"
	}
	return out, nil
}
