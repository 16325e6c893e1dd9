// What the provider refuses of batches is said, and tried again by one job a minute.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { RefusedBatches } from '../../../src/job/batch/refused-batches.ts'
import type { BatchClient } from '../../../src/job/batch/batch-client.ts'

const test = suite('batches that are refused')
const MINUTE = 60_000

/** A client whose doings fail with what `next` says. */
function world() {
  let now = 1_000
  let type: string | undefined
  const doing = async (): Promise<never> => {
    if (type !== undefined) throw new Error(type)
    return undefined as never
  }
  const client: BatchClient = {
    create: doing,
    find: doing,
    recent: doing,
    cancel: doing,
    answers: () => [] as never,
    factsOf: (error) => {
      const { message } = error as Error
      return { from: 'status', type: message, message, requestId: undefined, header: () => undefined }
    },
  }
  const refused = new RefusedBatches(() => now)
  const watched = refused.watched(client)
  const signal = new AbortController().signal
  const meets = async (what: 'create' | 'find' | 'recent', failure?: string): Promise<void> => {
    type = failure
    const done = what === 'create' ? watched.create([], signal) : watched[what]('1' as never, signal)
    assert.is(await done.then(String, (error: Error) => error.message), String(failure))
  }
  return { refused, meets, wait: (ms: number) => void (now += ms), now: () => now }
}

test('BA6 for want of a right or of money nothing is put together, but by one job a minute, until one is created', async () => {
  const { refused, meets, wait, now } = world()
  assert.equal([refused.holds(), refused.why], [undefined, undefined])
  await meets('create', 'authentication_error')
  assert.is(refused.holds(), now() + MINUTE)
  assert.equal(refused.why, { code: 'JOBS_WAIT', detail: 'batches: authentication: authentication_error' })
  wait(MINUTE)
  assert.is(refused.holds(), undefined, 'one')
  assert.is(refused.holds(), now() + MINUTE, 'and no other')
  await meets('create', 'billing_error')
  assert.match(refused.why?.detail ?? '', 'billing')
  await meets('find')
  assert.is(refused.holds(), now() + MINUTE, 'that one is found says nothing of creating')
  await meets('create')
  assert.equal([refused.holds(), refused.why], [undefined, undefined])
})

test('BA6 what passes by itself is no refusal; one of looks keeps nobody; what nobody meets any more is not said', async () => {
  const { refused, meets, wait } = world()
  for (const passing of ['overloaded_error', 'rate_limit_error', 'invalid_request_error'])
    await meets('create', passing)
  assert.is(refused.why, undefined)
  await meets('recent', 'permission_error')
  assert.equal([refused.holds(), refused.why?.detail], [undefined, 'answers of batches: permission: permission_error'])
  wait(5 * MINUTE)
  assert.ok(refused.why)
  wait(1)
  assert.is(refused.why, undefined)
})

test.run()
