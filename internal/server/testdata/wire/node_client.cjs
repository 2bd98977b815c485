// Drives a server through node-vault as its users do. The address and the root token come from the environment.
const crypto = require('crypto')
const assert = require('node:assert')
const vault = require('node-vault')({ apiVersion: 'v1', endpoint: process.env.VAULT_ADDR, token: process.env.VAULT_TOKEN })

async function refused (call, status, text) {
  try {
    await call()
  } catch (err) {
    assert.strictEqual(err.response?.statusCode ?? err.response?.status, status, err.message)
    assert.ok(err.message.includes(text), err.message)
    return
  }
  assert.fail(`status ${status} was expected`)
}

async function main () {
  assert.strictEqual((await vault.initialized()).initialized, true)
  assert.strictEqual((await vault.status()).sealed, false)
  assert.strictEqual((await vault.health()).sealed, false)

  await vault.write('secret/data/app', { data: { password: 'one' } })
  assert.strictEqual((await vault.read('secret/data/app')).data.data.password, 'one')
  await vault.update('secret/data/app', { data: { user: 'app' } })
  assert.deepStrictEqual((await vault.read('secret/data/app')).data.data, { password: 'one', user: 'app' })
  assert.deepStrictEqual((await vault.list('secret/metadata')).data.keys, ['app'])
  await vault.delete('secret/data/app')
  await refused(() => vault.read('secret/data/app'), 404, '404')

  await vault.mount({ mount_point: 'older', type: 'kv', description: 'by node', options: { version: '1' } })
  await vault.write('older/a', { b: 'c' })
  assert.deepStrictEqual((await vault.read('older/a')).data, { b: 'c' })
  assert.strictEqual((await vault.mounts()).data['older/'].description, 'by node')
  await vault.remount({ from: 'older', to: 'moved' })
  await vault.unmount({ mount_point: 'moved' })
  await refused(() => vault.read('moved/a'), 404, 'no handler for route')

  await vault.addPolicy({ name: 'reader', rules: 'path "secret/*" { capabilities = ["read"] }' })
  assert.ok((await vault.policies()).data.policies.includes('reader'))
  assert.ok((await vault.getPolicy({ name: 'reader' })).data.rules.includes('secret/*'))
  const made = (await vault.tokenCreate({ policies: ['reader'], ttl: '1h' })).auth
  assert.deepStrictEqual(made.policies, ['default', 'reader'])
  vault.token = process.env.VAULT_TOKEN // the client goes on with the token that it was given last
  const other = require('node-vault')({ apiVersion: 'v1', endpoint: process.env.VAULT_ADDR, token: made.client_token })
  assert.strictEqual((await other.tokenLookupSelf()).data.display_name, 'token')
  await refused(() => other.write('secret/data/x', { data: {} }), 403, 'permission denied')
  assert.strictEqual((await other.tokenRenewSelf({ increment: '2h' })).auth.lease_duration, 7200)
  await vault.tokenRevokeAccessor({ accessor: made.accessor })
  await refused(() => other.tokenLookupSelf(), 403, 'permission denied')
  await vault.removePolicy({ name: 'reader' })

  await vault.enableAuth({ mount_point: 'userpass', type: 'userpass' })
  await vault.write('auth/userpass/users/ann', { password: 'correct horse' })
  const entity = (await vault.write('identity/entity', { name: 'ann', policies: ['reader'] })).data.id
  const accessor = (await vault.auths()).data['userpass/'].accessor
  await vault.write('identity/entity-alias', { name: 'ann', canonical_id: entity, mount_accessor: accessor })
  const group = (await vault.write('identity/group', { name: 'staff', policies: ['staff'], member_entity_ids: [entity] })).data.id
  const signed = (await vault.userpassLogin({ username: 'ann', password: 'correct horse' })).auth
  vault.token = process.env.VAULT_TOKEN
  assert.strictEqual(signed.entity_id, entity)
  assert.deepStrictEqual(signed.identity_policies, ['reader', 'staff'])
  assert.deepStrictEqual((await vault.read('identity/entity/name/ann')).data.direct_group_ids, [group])
  assert.deepStrictEqual((await vault.list('identity/group/id')).data.keys, [group])
  assert.strictEqual((await vault.list('identity/entity/id')).data.key_info[entity].aliases[0].name, 'ann')
  // Identity tokens, checked by another implementation with the public keys that are shown to all.
  await vault.write('identity/oidc/config', { issuer: 'https://vault.example' })
  await vault.addPolicy({ name: 'staff', rules: 'path "identity/oidc/token/*" { capabilities = ["read"] }' })
  const ann = require('node-vault')({ apiVersion: 'v1', endpoint: process.env.VAULT_ADDR, token: signed.client_token })
  for (const algorithm of ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'EdDSA']) {
    await vault.write('identity/oidc/key/k', { algorithm, allowed_client_ids: '*' })
    await vault.write('identity/oidc/role/r', { key: 'k', client_id: 'app', ttl: '1h', template: '{"groups": {{identity.entity.groups.names}}}' })
    const { token } = (await ann.read('identity/oidc/token/r')).data
    const [head, claims, signature] = token.split('.')
    const { alg, kid } = JSON.parse(Buffer.from(head, 'base64url'))
    const { keys } = await (await fetch(process.env.VAULT_ADDR + '/v1/identity/oidc/.well-known/keys')).json()
    const key = crypto.createPublicKey({ key: keys.find(k => k.kid === kid), format: 'jwk' })
    const hash = algorithm === 'EdDSA' ? null : 'sha' + algorithm.slice(2)
    assert.ok(crypto.verify(hash, Buffer.from(`${head}.${claims}`), { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url')), algorithm)
    assert.strictEqual(alg, algorithm)
    const said = JSON.parse(Buffer.from(claims, 'base64url'))
    assert.deepStrictEqual([said.iss, said.sub, said.aud, said.groups], ['https://vault.example/v1/identity/oidc', entity, 'app', ['staff']])
    assert.strictEqual((await vault.write('identity/oidc/introspect', { token })).active, true)
  }
  const about = await (await fetch(process.env.VAULT_ADDR + '/v1/identity/oidc/.well-known/openid-configuration')).json()
  assert.strictEqual(about.jwks_uri, 'https://vault.example/v1/identity/oidc/.well-known/keys')
  await vault.removePolicy({ name: 'staff' })

  await vault.delete(`identity/group/id/${group}`)
  await vault.delete('identity/entity/name/ann')
  await refused(() => vault.read('identity/entity/name/ann'), 404, '404')

  const wrapped = await vault.request({ path: '/sys/wrapping/wrap', method: 'POST', json: { a: 'b' }, headers: { 'X-Vault-Wrap-TTL': '60', 'X-Vault-Token': process.env.VAULT_TOKEN } })
  assert.deepStrictEqual((await vault.unwrap({ token: wrapped.wrap_info.token })).data, { a: 'b' })
  console.log('ok')
}

main().catch(err => { console.error(err.stack); process.exit(1) })
