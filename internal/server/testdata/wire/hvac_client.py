"""Drives a server through hvac as its users do. The address and the root token come from the environment."""
import os

import hvac
from hvac import exceptions

client = hvac.Client(url=os.environ["VAULT_ADDR"], token=os.environ["VAULT_TOKEN"])


def refused(kind, call, text):
    try:
        call()
    except kind as err:
        assert text in str(err), (text, str(err))
        return
    raise AssertionError(f"{kind.__name__} with {text!r} was expected")


assert client.is_authenticated()
assert client.sys.is_initialized() and not client.sys.is_sealed()
status = client.sys.read_seal_status()
assert status["sealed"] is False and status["initialized"] is True, status
health = client.sys.read_health_status(method="GET")
assert health["initialized"] and not health["sealed"] and not health["standby"], health
assert client.sys.read_leader_status()["ha_enabled"] is False

# kv version 2
kv = client.secrets.kv.v2
first = kv.create_or_update_secret(path="app/db", secret=dict(password="one"))
assert first["data"]["version"] == 1, first
kv.create_or_update_secret(path="app/db", secret=dict(password="two"), cas=1)
refused(exceptions.InvalidRequest, lambda: kv.create_or_update_secret(path="app/db", secret={}, cas=1), "check-and-set")
kv.patch(path="app/db", secret=dict(user="app"))
got = kv.read_secret_version(path="app/db", raise_on_deleted_version=True)
assert got["data"]["data"] == {"password": "two", "user": "app"} and got["data"]["metadata"]["version"] == 3, got
assert kv.read_secret_version(path="app/db", version=1, raise_on_deleted_version=True)["data"]["data"] == {"password": "one"}
kv.delete_latest_version_of_secret(path="app/db")
refused(exceptions.InvalidPath, lambda: kv.read_secret_version(path="app/db", raise_on_deleted_version=True), "")
kv.undelete_secret_versions(path="app/db", versions=[3])
kv.destroy_secret_versions(path="app/db", versions=[1])
kv.update_metadata(path="app/db", max_versions=5, custom_metadata=dict(owner="team"))
meta = kv.read_secret_metadata(path="app/db")["data"]
assert meta["versions"]["1"]["destroyed"] and meta["custom_metadata"] == {"owner": "team"} and meta["max_versions"] == 5, meta
assert kv.list_secrets(path="")["data"]["keys"] == ["app/"]
refused(exceptions.InvalidPath, lambda: kv.list_secrets(path="none"), "")
kv.configure(max_versions=7)
assert kv.read_configuration()["data"]["max_versions"] == 7

# kv version 1
client.sys.enable_secrets_engine("kv", path="older", options=dict(version="1"))
v1 = client.secrets.kv.v1
v1.create_or_update_secret(path="a", secret=dict(b="c"), mount_point="older")
assert v1.read_secret(path="a", mount_point="older")["data"] == {"b": "c"}
assert v1.list_secrets(path="", mount_point="older")["data"]["keys"] == ["a"]
v1.delete_secret(path="a", mount_point="older")
refused(exceptions.InvalidPath, lambda: v1.read_secret(path="a", mount_point="older"), "")
assert "older/" in client.sys.list_mounted_secrets_engines()["data"]
client.sys.tune_mount_configuration(path="older", default_lease_ttl="1h", max_lease_ttl="2h")
assert client.sys.read_mount_configuration(path="older")["data"]["max_lease_ttl"] == 7200
client.sys.move_backend("older", "moved")
client.sys.disable_secrets_engine("moved")

# policies and tokens
client.sys.create_or_update_policy(name="reader", policy='path "secret/data/*" { capabilities = ["read"] }')
assert "secret/data" in client.sys.read_policy(name="reader")["data"]["rules"]
assert client.sys.list_policies()["data"]["policies"] == ["default", "reader", "root"]
made = client.auth.token.create(policies=["reader"], ttl="1h", meta=dict(who="hvac"), num_uses=0)["auth"]
assert made["policies"] == ["default", "reader"] and made["lease_duration"] == 3600 and made["renewable"], made
other = hvac.Client(url=os.environ["VAULT_ADDR"], token=made["client_token"])
assert other.auth.token.lookup_self()["data"]["meta"] == {"who": "hvac"}
assert other.secrets.kv.v2.read_secret_version(path="app/db", raise_on_deleted_version=True)["data"]["data"]["user"] == "app"
refused(exceptions.Forbidden, lambda: other.secrets.kv.v2.create_or_update_secret(path="x", secret={}), "permission denied")
assert other.sys.get_capabilities(["secret/data/x"])["capabilities"] == ["read"]
assert other.auth.token.renew_self(increment="2h")["auth"]["lease_duration"] == 7200
accessor = made["accessor"]
assert client.auth.token.lookup_accessor(accessor)["data"]["id"] == ""
assert accessor in client.auth.token.list_accessors()["data"]["keys"]
client.auth.token.create_or_update_role("r", allowed_policies="reader", orphan=True, token_period="1h")
assert client.auth.token.read_role("r")["data"]["orphan"] is True
by_role = client.auth.token.create(role_name="r")["auth"]
assert by_role["orphan"] and by_role["lease_duration"] == 3600, by_role
client.auth.token.revoke_accessor(accessor)
refused(exceptions.Forbidden, other.auth.token.lookup_self, "permission denied")
client.sys.delete_policy(name="reader")

# identity
client.sys.enable_auth_method("userpass")
client.auth.userpass.create_or_update_user("ann", password="correct horse")
accessor = client.sys.list_auth_methods()["data"]["userpass/"]["accessor"]
identity = client.secrets.identity
entity = identity.create_or_update_entity(name="ann", policies=["reader"], metadata=dict(team="red"))["data"]["id"]
alias = identity.create_or_update_entity_alias(name="ann", canonical_id=entity, mount_accessor=accessor)["data"]["id"]
read = identity.read_entity(entity_id=entity)["data"]
assert read["name"] == "ann" and read["metadata"] == {"team": "red"} and read["aliases"][0]["id"] == alias, read
assert identity.read_entity_by_name(name="ANN")["data"]["id"] == entity
identity.create_or_update_entity_by_name(name="bob", policies="x")
assert identity.list_entities_by_name()["data"]["keys"] == ["ann", "bob"]
assert entity in identity.list_entities()["data"]["keys"]
group = identity.create_or_update_group(name="staff", policies=["writer"], member_entity_ids=[entity])["data"]["id"]
outer = identity.create_or_update_group_by_name(name="all", policies=["outer"], member_group_ids=[group])["data"]["id"]
assert identity.read_group(group_id=group)["data"]["member_entity_ids"] == [entity]
assert identity.read_group_by_name(name="staff")["data"]["parent_group_ids"] == [outer]
signed = hvac.Client(url=os.environ["VAULT_ADDR"]).auth.userpass.login("ann", "correct horse")["auth"]
assert signed["entity_id"] == entity and signed["identity_policies"] == ["outer", "reader", "writer"], signed
assert signed["policies"] == ["default", "outer", "reader", "writer"] and signed["token_policies"] == ["default"], signed
assert identity.lookup_entity(alias_name="ann", alias_mount_accessor=accessor)["data"]["id"] == entity
assert identity.lookup_group(name="all")["data"]["id"] == outer
assert identity.read_entity_alias(alias_id=alias)["data"]["mount_path"] == "auth/userpass/"
assert identity.list_entity_aliases()["data"]["keys"] == [alias]
identity.update_group(group_id=outer, name="all", member_group_ids=[])
external = identity.create_or_update_group(name="ext", group_type="external")["data"]["id"]
outside = identity.create_or_update_group_alias(name="admins", mount_accessor=accessor, canonical_id=external)["data"]["id"]
assert identity.read_group_alias(alias_id=outside)["data"]["canonical_id"] == external
assert identity.list_group_aliases()["data"]["keys"] == [outside]
identity.delete_group_alias(entity_id=outside)
identity.configure_tokens_backend(issuer="https://vault.example:8200")
assert identity.read_tokens_backend_configuration()["data"]["issuer"] == "https://vault.example:8200"
identity.create_named_key(name="k", rotation_period="12h", verification_ttl="12h", algorithm="ES256", allowed_client_ids=["*"])
assert identity.read_named_key(name="k")["data"] == dict(rotation_period=43200, verification_ttl=43200, algorithm="ES256", allowed_client_ids=["*"])
assert "k" in identity.list_named_keys()["data"]["keys"]
identity.rotate_named_key(name="k", verification_ttl="1h")  # in this version it writes the key instead
identity.create_or_update_role(name="r", key="k", ttl="1h")
assert identity.read_role(name="r")["data"]["ttl"] == 3600
assert identity.list_roles()["data"]["keys"] == ["r"]
refused(exceptions.InvalidRequest, lambda: identity.generate_signed_id_token(name="r"), "no entity associated with the request's token")
refused(exceptions.InvalidRequest, lambda: identity.delete_named_key(name="k"), "referenced by these roles: r")
assert identity.introspect_signed_id_token(token="x.y.z")["active"] is False
assert identity.read_well_known_configurations()["issuer"] == "https://vault.example:8200/v1/identity/oidc"
shown = identity.read_active_public_keys()
assert len(shown["keys"]) == 2, shown
identity.delete_role(name="r")
identity.delete_named_key(name="k")
bob = identity.read_entity_by_name(name="bob")["data"]["id"]
identity.merge_entities(from_entity_ids=[bob], to_entity_id=entity)
assert identity.read_entity(entity_id=entity)["data"]["merged_entity_ids"] == [bob]
refused(exceptions.InvalidRequest, lambda: identity.update_entity(entity_id=bob, name="x"), "entity not found from id")
identity.delete_entity_alias(alias_id=alias)
identity.delete_group(group_id=group)
identity.delete_group_by_name(name="all")
identity.delete_entity(entity_id=entity)
refused(exceptions.InvalidPath, lambda: identity.read_entity(entity_id=entity), "")
client.sys.disable_auth_method("userpass")

# wrapping
wrapped = client.sys.wrap(payload=dict(a="b"), ttl=60)
token = wrapped["wrap_info"]["token"]
assert client.sys.unwrap(token=token)["data"] == {"a": "b"}
refused(exceptions.InvalidRequest, lambda: client.sys.unwrap(token=token), "wrapping token is not valid or does not exist")

# the rest
assert client.adapter.post("/v1/sys/tools/hash", json=dict(input="YQ=="))["data"]["sum"].startswith("ca978112")
client.sys.rotate_encryption_key()
assert client.sys.get_encryption_key_status()["data"]["term"] == 2
refused(exceptions.InvalidPath, lambda: client.adapter.get("/v1/nothing/here"), "no handler for route")
client.logout(revoke_token=True)
print("ok")
