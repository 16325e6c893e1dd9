// A process that starts while the provider has asked to leave its models alone.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { systemClock } from '../../../src/time/system-clock.ts'
import { startModelServer } from '../../../src/testing/model-server/model-server.ts'
import { eventually, sharedConnection } from '../../support/broker.ts'
import { atEnd } from '../../support/cleanup.ts'
import { LocalAdmission } from '../local-admission.ts'
import { admissionOf, admitted } from '../limits/admissions.ts'
import { failed } from '../limits/gates.ts'
import { jobContext, work } from './working-jobs.ts'

const test = suite('models that are left alone')

const WAIT = { from: 'status', type: 'rate_limit_error', status: 429 } as const
/** More than a process has in hand of a lane; it looks by itself as often as it renews them, which is too late here. */
const JOBS = 40

for (const [when, calls] of [
  ['that has heard of it before it takes a job', [{ model: 'm', maxTokens: 200 }]],
  ['that hears of it with its first job', []],
] as const)
  test(`MG2 a process ${when} goes on when the time is over`, async () => {
    const connection = await sharedConnection()
    const context = await jobContext(connection, { model: 'm' })
    const server = await startModelServer()
    atEnd(() => server.stop())
    const ids = Array.from({ length: JOBS }, (_, n) => `j${n}`)
    await Promise.all(ids.map((id) => context.request(id)))
    const credential = `key ${context.stream.name}`
    const before = await admissionOf({ connection, credential })
    await (await admitted(before, { model: 'm' })).end(failed(WAIT, { frozenUntil: Date.now() + 2_000 }))
    const admission = await admissionOf({ connection, credential, calls })
    const worker = await work(context, server.url, { admission, ackWait: 600_000 })
    await eventually('it has jobs in hand', () => worker.status.held > 0 || undefined)
    await Promise.all(ids.map((id) => context.over(id)))
    assert.is(server.totals().calls, JOBS)
  })

/** Says nothing of its places. */
class Silent extends LocalAdmission {
  most = 0
  override get places(): number {
    return this.most
  }
  override onChange = (): (() => void) => () => undefined
}

test('JW6 what is in hand is begun though nobody tells that it may be', async () => {
  const context = await jobContext(await sharedConnection())
  const server = await startModelServer()
  atEnd(() => server.stop())
  await context.request('a')
  const admission = new Silent({ clock: systemClock, now: Date.now })
  const worker = await work(context, server.url, { admission, ackWait: 6_000 })
  await eventually('it is in hand', () => worker.status.held === 1 || undefined)
  admission.most = 8
  await context.over('a')
})

test.run()
