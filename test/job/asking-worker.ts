// A process that asks one question for as long as nobody has answered it: asking-worker.ts URL QUESTION HOLD. Writes
// `waits` when another one has the flight, `miss` when it has it, which it holds for ever with HOLD, else `hit JOB` once there
// is an answer.
import { connectBroker } from '../../src/broker/connection.ts'
import { BucketAnswers } from '../../src/job/bucket-answers.ts'
import { silentLog } from '../../src/observe/log.ts'
import { systemClock } from '../../src/time/system-clock.ts'

const [url = '', question = '', hold] = process.argv.slice(2)
/** Longer than a busy machine stands still. */
const LEASE_MS = 5_000
let waits = false
const auth = { kind: 'none' } as const
const connection = await connectBroker({ servers: [url], auth, name: 'asker', timeout: 5_000, origin: 'test' })
const parts = { connection, clock: systemClock, now: () => Date.now(), log: silentLog }
const answers = new BucketAnswers({ ...parts, lease: LEASE_MS, pause: 50 })
await answers.prepare(1)
const user = [{ type: 'text' as const, text: question }]
const ask = { model: 'claude-haiku-5-5', maxTokens: 10, system: [], user, schema: undefined }
// a test process that dies must not leave its workers behind
setInterval(() => {
  if (process.ppid === 1) process.exit(0)
}, 500)
for (;;) {
  const found = await answers.find(ask, { tenant: 'acme', ttl: 60_000 })
  if (found.kind === 'flying') {
    if (!waits) process.stdout.write('waits\n')
    waits = true
    await systemClock.sleep(Math.max(1, found.again - systemClock.now()))
    continue
  }
  process.stdout.write(found.kind === 'hit' ? `hit ${found.answer.job}\n` : 'miss\n')
  if (found.kind === 'hit' || hold !== undefined) break
  await systemClock.sleep(200) // the call
  const job = `of ${process.pid}`
  await found.store({ text: '4711', stopReason: 'end_turn', model: ask.model, savedTokens: 3, job })
  break
}
