// npm run -s bench -- [NAME…] [--json] [--rounds N] [--case CASE…] [--peers]
// --peers: also others that do the same, which are put into a directory of the cache: BullMQ on Redis
import { parseArgs } from 'node:util'
import { actor } from './actor/actor.ts'
import { cep } from './cep/cep.ts'
import { consume } from './consume.ts'
import { delivery } from './delivery/delivery.ts'
import { withServer, type Bench, type PureBench, type Result } from './harness.ts'
import { jobs } from './jobs/jobs.ts'
import { limits } from './limits.ts'
import { outbox } from './outbox.ts'
import { pipeline } from './pipeline.ts'
import { publish } from './publish.ts'
import { replay } from './replay.ts'
import { timers } from './timers.ts'

/** One name, one file for each kind of work. */
const handlers: Bench = async (context) => {
  await delivery(context)
  await timers(context)
  await outbox(context)
}
const BENCHES: Readonly<Record<string, Bench>> = {
  publish,
  consume,
  pipeline,
  replay,
  actor,
  delivery: handlers,
  jobs,
  limits,
}
const PURE: Readonly<Record<string, PureBench>> = { cep }

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean' },
    peers: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    case: { type: 'string', multiple: true, default: [] },
  },
})
const known = [...Object.keys(BENCHES), ...Object.keys(PURE)]
const names = positionals.length > 0 ? positionals : known
const unknown = names.filter((name) => !known.includes(name))
if (unknown.length > 0) {
  console.error(`no bench is called ${unknown.join(', ')}; there are: ${known.join(', ')}`)
  process.exit(2)
}

const rounds = Number(values.rounds)
for (const name of names)
  if (PURE[name] !== undefined) await PURE[name]({ rounds, cases: values.case, peers: values.peers, report })
  // a server for each: what one bench stored does not slow the next
  else
    await withServer(async (connection, other, serverPid) => {
      await BENCHES[name]?.({ connection, other, serverPid, rounds, cases: values.case, peers: values.peers, report })
    })

function report(result: Result): void {
  if (values.json) return console.log(JSON.stringify(result))
  const value = `${result.value.toLocaleString('en')} ${result.unit}`
  console.log(`${result.case.padEnd(30)} ${value.padStart(20)}   ${result.ratio.toFixed(2)} of ${result.against}`)
}
