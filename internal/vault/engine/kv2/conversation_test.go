package kv2_test

import (
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/internal/conversation"
	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/kv2"
)

func TestConversations(t *testing.T) { conversation.Run(t, kv2.New) }
