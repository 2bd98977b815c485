package kv1_test

import (
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/internal/conversation"
	"github.com/ArcadeLabsInc/zvault/internal/vault/engine/kv1"
)

func TestConversations(t *testing.T) { conversation.Run(t, kv1.New) }
