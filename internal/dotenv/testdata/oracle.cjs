// Reads lines of JSON, {"op": …, "src": base64 of a file}, and answers each with what the packages make of it: a list of
// [name, value] pairs.
const readline = require('node:readline')
const dotenv = require('dotenv')
const { expand } = require('dotenv-expand')

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const { op, src } = JSON.parse(line)
  let parsed = dotenv.parse(Buffer.from(src, 'base64').toString('utf8'))
  if (op === 'expand') parsed = expand({ parsed, processEnv: { OUTER: 'from outside', EMPTY: '' } }).parsed
  process.stdout.write(JSON.stringify(Object.entries(parsed)) + '\n')
})
