// A process that makes as many calls as it is admitted: admission-worker.ts URL CREDENTIAL TENANT. Writes what each took and gave
// back, when, in ms since the epoch; and what it was billed before it tells that.
import { connectBroker } from '../../../src/broker/connection.ts'
import { SharedAdmission } from '../../../src/job/limits/shared-admission.ts'
import { readModels } from '../../../src/job/models-config.ts'
import { NO_USAGE } from '../../../src/job/usage.ts'
import { silentLog } from '../../../src/observe/log.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import { MODELS } from './limited-models.ts'

const [url = '', credential = '', tenant = ''] = process.argv.slice(2)
const auth = { kind: 'none' } as const
const connection = await connectBroker({ servers: [url], auth, name: 'worker', timeout: 5_000, origin: 'test' })
const admission = await SharedAdmission.open({
  connection,
  clock: systemClock,
  log: silentLog,
  now: Date.now,
  chance: Math.random,
  replicas: 1,
  owner: `p${process.pid}`,
  credential,
  models: readModels(MODELS),
  calls: [],
})
const now = (): number => performance.timeOrigin + performance.now()
const never = new AbortController().signal
let jobs = 0

async function caller(): Promise<never> {
  for (;;) {
    const job = `${process.pid}-${jobs++}`
    const outputTokens = 300 + Math.floor(Math.random() * 600)
    const call = { job, context: 'SHOP', name: 'triage', lane: 'standard', attempt: 1, tenant, model: 'm' } as const
    const verdict = await admission.admit({ ...call, inputTokens: 10, outputTokens, repeats: false }, never)
    if (verdict.kind !== 'admitted') {
      process.stdout.write(`${verdict.kind} 0 0\n`)
      await systemClock.sleep(50)
      continue
    }
    process.stdout.write(`took ${now()} ${outputTokens}\n`)
    await systemClock.sleep(5 + Math.random() * 20)
    const output = Math.floor(Math.random() * outputTokens)
    const usage = { ...NO_USAGE, output }
    process.stdout.write(`bill ${now()} ${output}\n`)
    await verdict.permit.settle({ usage, estimated: false, model: 'm', requestId: undefined })
    process.stdout.write(`back ${now()} ${outputTokens - output}\n`)
    await verdict.permit.end({ kind: 'answered', rates: {} })
  }
}

for (let n = 0; n < 8; n++) void caller()
// a test process that dies must not leave its workers behind
setInterval(() => {
  if (process.ppid === 1) process.exit(0)
}, 500)
