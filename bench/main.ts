// npm run -s bench -- [NAME…] [--json] [--rounds N]
import { parseArgs } from 'node:util'
import { consume } from './consume.ts'
import { withServer, type Bench, type Result } from './harness.ts'
import { pipeline } from './pipeline.ts'
import { publish } from './publish.ts'
import { replay } from './replay.ts'

const BENCHES: Readonly<Record<string, Bench>> = { publish, consume, pipeline, replay }

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean' }, rounds: { type: 'string', default: '3' } },
})
const names = positionals.length > 0 ? positionals : Object.keys(BENCHES)
const unknown = names.filter((name) => BENCHES[name] === undefined)
if (unknown.length > 0) {
  console.error(`no bench is called ${unknown.join(', ')}; there are: ${Object.keys(BENCHES).join(', ')}`)
  process.exit(2)
}

for (const name of names)
  // a server for each: what one bench stored does not slow the next
  await withServer(async (connection, other) => {
    await BENCHES[name]?.({ connection, other, rounds: Number(values.rounds), report })
  })

function report(result: Result): void {
  if (values.json) return console.log(JSON.stringify(result))
  const value = `${result.value.toLocaleString('en')} ${result.unit}`
  console.log(`${result.case.padEnd(30)} ${value.padStart(20)}   ${result.ratio.toFixed(2)} of ${result.against}`)
}
