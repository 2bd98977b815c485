package database_test

import (
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/ArcadeLabsInc/zvault/internal/mcp/tool/tooltest"
)

// cursorOf is the answer to a command whose documents fit into the first batch.
func cursorOf(id int64, batch string, documents ...bson.D) bson.D {
	list := bson.A{}
	for _, d := range documents {
		list = append(list, d)
	}
	return bson.D{{Key: "ok", Value: 1.0}, {Key: "cursor", Value: bson.D{{Key: "id", Value: id}, {Key: "ns", Value: "shop.things"}, {Key: batch, Value: list}}}}
}

func TestMongoDB(t *testing.T) {
	t.Parallel()
	id, err := bson.ObjectIDFromHex("0123456789abcdef01234567")
	if err != nil {
		t.Fatal(err)
	}
	s, address := startMongo(t, func(c bson.D) bson.D {
		switch c[0].Key {
		case "find":
			switch c[0].Value {
			case "slow":
				return refused(50, "MaxTimeMSExpired", "operation exceeded time limit")
			case "closed":
				return refused(13, "Unauthorized", "not authorized on shop")
			case "endless":
				return cursorOf(7, "firstBatch", bson.D{{Key: "n", Value: int32(1)}})
			}
			return cursorOf(0, "firstBatch", bson.D{{Key: "_id", Value: id}, {Key: "n", Value: int64(3)}, {Key: "d", Value: bson.D{{Key: "x", Value: bson.A{1.5, nil, "ü"}}}}},
				bson.D{{Key: "_id", Value: "two"}})
		case "getMore":
			return cursorOf(7, "nextBatch", bson.D{{Key: "n", Value: int32(2)}}, bson.D{{Key: "n", Value: int32(3)}})
		case "aggregate", "listCollections":
			return cursorOf(0, "firstBatch")
		}
		return bson.D{{Key: "ok", Value: 1.0}, {Key: "n", Value: int32(2)}}
	})
	k := newKit(t, map[string]string{
		"MONGODB_URL": "mongodb://reader:m0ngo-p4ss@" + address + "/shop?authSource=admin", "WRONG": "mongodb://reader:wr0ng-p4ss@" + address + "/shop",
		"PLAIN": "mongodb://reader:m0ngo-p4ss@" + address + "/shop?authMechanism=PLAIN", "NODB": "mongodb://reader:m0ngo-p4ss@" + address,
		"SRV": "mongodb+srv://reader:m0ngo-p4ss@cluster.example.com/shop", "CLOSED": "mongodb://reader:m0ngo-p4ss@127.0.0.1:1/shop",
	})
	out := k.must("query_mongodb", args{"command": "find", "collection": "things", "fields": args{"filter": args{"n": args{"$gt": 1}}}})
	want := []any{args{"_id": args{"$oid": "0123456789abcdef01234567"}, "n": 3.0, "d": args{"x": []any{1.5, nil, "ü"}}}, args{"_id": "two"}}
	if !reflect.DeepEqual(out["documents"], want) || out["count"] != 2.0 || out["truncated"] != false {
		t.Errorf("%v", out)
	}
	asked := s.asked()
	last := asked[len(asked)-1]
	if last[0].Key != "find" || last[0].Value != "things" || field(last, "batchSize") != int32(501) || field(last, "maxTimeMS") != int64(27000) || field(last, "$db") != "shop" {
		t.Errorf("the server was asked %v", last)
	}
	if use := tooltest.GateOf(k.Call).Last(); use.Scheme != "mongodb" || use.Path != "/shop" || use.Method != "READ" || use.Body == "" {
		t.Errorf("%+v", use)
	}
	k.must("query_mongodb", args{"command": "listCollections"})
	k.must("query_mongodb", args{"command": "aggregate", "collection": "things", "fields": args{"pipeline": []any{args{"$match": args{}}}}})
	if out := k.must("query_mongodb", args{"command": "count", "collection": "things"}); out["documents"].([]any)[0].(args)["n"] != 2.0 {
		t.Errorf("%v", out)
	}
	before := len(s.asked())
	for _, c := range []args{
		{"command": "insert", "collection": "things", "fields": args{"documents": []any{args{}}}},
		{"command": "aggregate", "collection": "things", "fields": args{"pipeline": []any{args{"$out": "x"}}}},
		{"command": "aggregate", "collection": "things", "fields": args{"pipeline": []any{args{"$facet": args{"a": []any{args{"$merge": args{"into": "x"}}}}}}}},
		{"command": "drop", "collection": "things"}, {"command": "eval"}, {"command": "mapReduce", "collection": "things"}, {"command": "findAndModify", "collection": "things"},
		{"command": "Find", "collection": "things"},
	} {
		k.fails("query_mongodb", c, "denied", "allow_write")
	}
	for _, c := range []args{
		{"command": "find", "collection": "things", "fields": args{"$db": "admin"}}, {"command": "find", "collection": "things", "fields": args{"aggregate": "x"}},
		{"command": ""}, {"command": "$eval"}, {"command": "find", "collection": "things", "fields": args{"filter": args{"_id": args{"$oid": "short"}}}},
		{"command": "find", "collection": "x", "connection": "PLAIN"}, {"command": "find", "collection": "x", "connection": "NODB"}, {"command": "find", "collection": "x", "connection": "SRV"},
	} {
		k.fails("query_mongodb", c, "invalid")
	}
	if after := len(s.asked()); after != before {
		t.Errorf("%d commands went out although refused", after-before)
	}
	k.must("query_mongodb", args{"command": "insert", "collection": "things", "fields": args{"documents": []any{args{"a": 1}}}, "allow_write": true})
	k.fails("query_mongodb", args{"command": "find", "collection": "slow"}, "timeout", "time limit")
	k.fails("query_mongodb", args{"command": "find", "collection": "closed"}, "denied", "not authorized")
	k.fails("query_mongodb", args{"command": "find", "collection": "x", "connection": "WRONG"}, "denied", "password")
	k.Limits.Rows = 4
	out = k.must("query_mongodb", args{"command": "find", "collection": "endless"})
	if out["count"] != 4.0 || out["truncated"] != true || !strings.Contains(out["hint"].(string), "first 4 documents") {
		t.Errorf("%v", out)
	}
	if asked := s.asked(); asked[len(asked)-1][0].Key != "killCursors" {
		t.Errorf("the cursor was left open: %v", asked[len(asked)-1])
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if _, err := k.run("query_mongodb", args{"command": "ping"}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	k.Limits.Time = 500 * time.Millisecond
	if _, err := k.run("query_mongodb", args{"command": "ping", "connection": "CLOSED"}); tooltest.Code(err) != "unreachable" && tooltest.Code(err) != "timeout" {
		t.Errorf("nobody is there: %v", err)
	}
}
