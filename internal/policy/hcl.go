package policy

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/hcl/ast"
	"github.com/hashicorp/hcl/hcl/parser"
	"github.com/hashicorp/hcl/hcl/scanner"
	hclstrconv "github.com/hashicorp/hcl/hcl/strconv"
	"github.com/hashicorp/hcl/hcl/token"
)

// readHCL reads the dialect that Vault's policies are written in, HCL 1.
func readHCL(text string) (members []member, err error) {
	// The library panics on some texts that are none, such as unfinished ones. That is a mistake in the text like any other.
	defer func() {
		if problem := recover(); problem != nil {
			members, err = nil, failAt(0, "not valid HCL: %v", problem)
		}
	}()
	text = strings.ReplaceAll(text, "\r\n", "\n")
	if err := checkDepth(text); err != nil {
		return nil, err
	}
	file, err := parser.ParseDontErrorOnDuplicateKeys([]byte(text)) // hclMembers does, and says which line to keep
	if err != nil {
		return nil, hclError(err)
	}
	list, ok := file.Node.(*ast.ObjectList)
	if !ok {
		return nil, failAt(0, "not valid HCL: no list of blocks")
	}
	return hclMembers(list)
}

// checkDepth refuses brackets that are nested so deeply that the parser, which is recursive, would run out of stack.
func checkDepth(text string) error {
	s := scanner.New([]byte(text))
	s.Error = func(token.Pos, string) {} // the parser reports it
	for depth := 0; ; {
		switch t := s.Scan(); t.Type {
		case token.LBRACE, token.LBRACK:
			if depth++; depth > maxDepth {
				return failAt(t.Pos.Line, "brackets are nested deeper than %d", maxDepth)
			}
		case token.RBRACE, token.RBRACK:
			depth--
		case token.EOF, token.ILLEGAL:
			return nil
		}
	}
}

func hclError(err error) error {
	var at *parser.PosError
	if errors.As(err, &at) {
		return failAt(at.Pos.Line, "not valid HCL: %v", at.Err)
	}
	return failAt(0, "not valid HCL: %v", err)
}

func hclMembers(list *ast.ObjectList) ([]member, error) {
	members := make([]member, 0, len(list.Items))
	for _, item := range list.Items {
		v, err := hclValue(item.Val)
		if err != nil {
			return nil, err
		}
		// `path "a" { }` has two keys: it is the member "a" of the member "path".
		for i := len(item.Keys) - 1; i >= 0; i-- {
			name, err := hclKey(item.Keys[i].Token)
			if err != nil {
				return nil, err
			}
			m := member{name: name, line: item.Keys[i].Token.Pos.Line, value: v}
			if i == 0 {
				members = append(members, m)
			}
			v = value{m.line, []member{m}}
		}
	}
	return members, nil
}

func hclKey(t token.Token) (string, error) {
	if t.Type == token.STRING {
		return hclString(t)
	}
	return t.Text, nil
}

func hclString(t token.Token) (string, error) {
	s, err := hclstrconv.Unquote(t.Text)
	if err != nil {
		return "", failAt(t.Pos.Line, "%s is not a valid string", t.Text)
	}
	return s, nil
}

func hclValue(node ast.Node) (value, error) {
	switch n := node.(type) {
	case *ast.LiteralType:
		content, err := hclLiteral(n.Token)
		return value{n.Token.Pos.Line, content}, err
	case *ast.ListType:
		list := make([]value, 0, len(n.List))
		for _, element := range n.List {
			v, err := hclValue(element)
			if err != nil {
				return value{}, err
			}
			list = append(list, v)
		}
		return value{n.Lbrack.Line, list}, nil
	case *ast.ObjectType:
		members, err := hclMembers(n.List)
		return value{n.Lbrace.Line, members}, err
	}
	return value{}, failAt(0, "not valid HCL: a value is missing")
}

func hclLiteral(t token.Token) (any, error) {
	switch t.Type {
	case token.STRING:
		return hclString(t)
	case token.HEREDOC:
		return t.Value(), nil
	case token.BOOL:
		return t.Text == "true", nil
	case token.NUMBER, token.FLOAT:
		n, ok := number(t.Text, 0)
		if !ok {
			return nil, failAt(t.Pos.Line, "%s is not a number that fits into 64 bits", t.Text)
		}
		return n, nil
	}
	return nil, failAt(t.Pos.Line, "%s cannot be a value", t.Text)
}

// number reads a number as int64 if it is whole and fits, or else as float64, so that 5, 5.0 and 5e0 are the same. Base 0 allows
// the prefixes 0x and 0.
func number(text string, base int) (any, bool) {
	if n, err := strconv.ParseInt(text, base, 64); err == nil {
		return n, true
	}
	if !strings.ContainsAny(text, ".eE") {
		return nil, false
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil, false
	}
	if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return int64(f), true
	}
	return f, true
}
