-- The platform's tables. One text for both databases: SQLite takes these type names by affinity. Times are
-- microseconds since 1970 in UTC; identifiers are UUIDv7; what is named sealed or wrapped is an envelope of crypt.

-- +goose Up
CREATE TABLE organisations (
    id         TEXT   NOT NULL PRIMARY KEY,
    slug       TEXT   NOT NULL UNIQUE,
    name       TEXT   NOT NULL,
    created_at BIGINT NOT NULL
);

-- Keys of an organisation (wrapped by the barrier) or a project (wrapped by its organisation's key).
CREATE TABLE scope_keys (
    scope_id   TEXT   NOT NULL,
    generation BIGINT NOT NULL,
    wrapped    BYTEA  NOT NULL,
    uses       BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (scope_id, generation)
);

CREATE TABLE projects (
    id         TEXT   NOT NULL PRIMARY KEY,
    org_id     TEXT   NOT NULL REFERENCES organisations (id),
    slug       TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE UNIQUE INDEX projects_slug ON projects (org_id, slug) WHERE deleted_at IS NULL;

-- What a project expects of its environments; the newest revision is in force, older ones are kept.
CREATE TABLE schemas (
    project_id TEXT   NOT NULL REFERENCES projects (id),
    revision   BIGINT NOT NULL,
    body       TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT   NOT NULL,
    PRIMARY KEY (project_id, revision)
);

-- owner is empty for a shared environment; a person's overrides of it are an environment of the same slug with the
-- person as owner. base_id names the environment that this one inherits from.
CREATE TABLE environments (
    id         TEXT   NOT NULL PRIMARY KEY,
    project_id TEXT   NOT NULL REFERENCES projects (id),
    slug       TEXT   NOT NULL,
    owner      TEXT   NOT NULL,
    base_id    TEXT   REFERENCES environments (id),
    revision   BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE UNIQUE INDEX environments_slug ON environments (project_id, slug, owner) WHERE deleted_at IS NULL;

-- Each change of an environment: revision n+1 of it.
CREATE TABLE commits (
    environment_id TEXT   NOT NULL REFERENCES environments (id),
    revision       BIGINT NOT NULL,
    at             BIGINT NOT NULL,
    actor          TEXT   NOT NULL,
    client         TEXT   NOT NULL,
    action         TEXT   NOT NULL,
    message        TEXT   NOT NULL,
    PRIMARY KEY (environment_id, revision)
);

-- The secrets of an environment as they are now. sealed repeats the current version's envelope, so that reading an
-- environment is one range read.
CREATE TABLE secrets (
    environment_id TEXT    NOT NULL REFERENCES environments (id),
    name           TEXT    NOT NULL,
    revision       BIGINT  NOT NULL,
    version        BIGINT  NOT NULL,
    type           TEXT    NOT NULL,
    pinned         BOOLEAN NOT NULL,
    tags           TEXT    NOT NULL,
    comment        BYTEA,
    sealed         BYTEA   NOT NULL,
    PRIMARY KEY (environment_id, name)
);

-- The state of a secret from a revision on, until its next row here.
CREATE TABLE changes (
    environment_id TEXT    NOT NULL,
    name           TEXT    NOT NULL,
    revision       BIGINT  NOT NULL,
    version        BIGINT  NOT NULL,
    type           TEXT    NOT NULL,
    pinned         BOOLEAN NOT NULL,
    tags           TEXT    NOT NULL,
    comment        BYTEA,
    deleted        BOOLEAN NOT NULL,
    PRIMARY KEY (environment_id, name, revision),
    FOREIGN KEY (environment_id, revision) REFERENCES commits (environment_id, revision)
);
CREATE INDEX changes_revision ON changes (environment_id, revision);

-- Every value that a secret ever had. fingerprint, sealed, finds the value in files without opening it.
CREATE TABLE versions (
    environment_id TEXT   NOT NULL REFERENCES environments (id),
    name           TEXT   NOT NULL,
    version        BIGINT NOT NULL,
    generation     BIGINT NOT NULL,
    sealed         BYTEA  NOT NULL,
    fingerprint    BYTEA,
    created_at     BIGINT NOT NULL,
    created_by     TEXT   NOT NULL,
    PRIMARY KEY (environment_id, name, version)
);

-- Which secret refers to which; target_env is empty for "the same environment".
CREATE TABLE edges (
    environment_id TEXT NOT NULL REFERENCES environments (id),
    name           TEXT NOT NULL,
    target_project TEXT NOT NULL,
    target_env     TEXT NOT NULL,
    target_name    TEXT NOT NULL,
    PRIMARY KEY (environment_id, name, target_project, target_env, target_name)
);
CREATE INDEX edges_target ON edges (target_name, target_project);

-- +goose Down
DROP TABLE edges;
DROP TABLE versions;
DROP TABLE changes;
DROP TABLE secrets;
DROP TABLE commits;
DROP TABLE environments;
DROP TABLE schemas;
DROP TABLE projects;
DROP TABLE scope_keys;
DROP TABLE organisations;
