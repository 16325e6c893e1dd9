// A process that is a member of a group, for tests that kill or freeze it: member-process.ts URL GROUP UNITS LEASE_MS
// It says when each unit begins and ends, one JSON array a line.
import { connectBroker } from '../../../src/broker/connection.ts'
import { Ownership } from '../../../src/kernel/ownership/ownership.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import { unitsOf } from './ledger.ts'

const [url = '', group = '', count = '', leaseMs = ''] = process.argv.slice(2)
const connection = await connectBroker({
  servers: [url],
  auth: { kind: 'none' },
  name: 'member',
  timeout: 5_000,
  origin: 'test',
})
const say = (what: string, unit = ''): void =>
  void process.stdout.write(`${JSON.stringify([what, unit, Date.now()])}\n`)
await Ownership.start({
  connection,
  clock: systemClock,
  group,
  member: `process-${process.pid}`,
  replicas: 1,
  units: unitsOf(Number(count)),
  leaseMs: Number(leaseMs),
  run: async (unit) => {
    say('begin', unit)
    return { ended: new Promise(() => undefined), stop: async () => say('end', unit) }
  },
  onFailure: (unit, error) => {
    console.error(unit, error.message)
    process.exit(1)
  },
})
say('joined')
// a test process that dies must not leave its members behind
setInterval(() => {
  if (process.ppid === 1) process.exit(0)
}, 500)
