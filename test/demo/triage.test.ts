// The demo's triage: its requests, what the stand-in says to them, and how it is noticed when jobs or bills are wrong.
import { fileURLToPath } from 'node:url'
import { from, lastValueFrom, toArray } from 'rxjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { wrongBills, wrongJobs } from '../../demo/check-jobs.ts'
import type { DemoJob } from '../../demo/job-account.ts'
import { answerTo, verdictOf } from '../../demo/triage-answers.ts'
import type { EventDraft, StoredEvent } from '../../src/event/event.ts'
import { renderPrompt } from '../../src/job/render-prompt.ts'
import { readResult } from '../../src/job/result-schema.ts'
import { discover } from '../../src/runtime/discover.ts'
import type { ModelCall } from '../../src/testing/model-server/model-call.ts'

const test = suite('triage of the demo')
const deployment = await discover(fileURLToPath(new URL('../../streams', import.meta.url)))
const job = deployment.jobs?.[0]?.declaration as NonNullable<typeof deployment.jobs>[number]['declaration']

const SUSPICION = {
  id: 's1',
  source: '/millrace/rules/refund-abuse',
  type: 'fraud.suspected',
  version: 1,
  time: 1_000_000,
  key: 'card-1',
  correlationId: undefined,
  causationId: undefined,
  attributes: { severity: 'medium' },
  stream: 'PAYMENTS',
  sequence: 7,
  storedAt: 99_000_000,
}

async function requestOf(data: object): Promise<EventDraft> {
  const found = deployment.pipelines.find(({ name }) => name === 'triage-requests')
  if (found?.kind !== 'pipeline') throw new Error('no pipeline triage-requests')
  const events = from([{ ...SUSPICION, data } as StoredEvent])
  const [draft] = await lastValueFrom(found.build(events, {} as Parameters<typeof found.build>[1]).pipe(toArray()))
  return draft as EventDraft
}

function questionFor({ data }: EventDraft): string {
  return renderPrompt(job.prompt, data)
    .user.map(({ text }) => text)
    .join('')
}

test('each suspicion becomes a request that has a value for each place of the prompt, and is dated when it was stored', async () => {
  for (const data of [
    { cardId: 'card-1' },
    { cardId: 'card-1', amount: 700.004, count: 3, country: 'DE', merchantId: 'm-1', since: 940_000 },
  ]) {
    const draft = await requestOf(data)
    assert.is(draft.time, SUSPICION.storedAt)
    assert.ok(deployment.registry.get(draft.type)?.check(draft.data, 1).ok)
    assert.match(questionFor(draft), 'Pattern: refund-abuse (severity medium)')
    assert.is(job.laneOf(draft.data), 'amount' in data ? 'urgent' : 'standard')
    assert.is(job.tenantOf(draft.data), 'amount' in data ? 'DE' : 'unknown')
  }
})

test('the stand-in says what the question has, in the words that the job takes; what it meets at first is never twice', async () => {
  const draft = await requestOf({ cardId: 'card-1', amount: 700 })
  assert.is(verdictOf(questionFor(draft)).verdict, 'fraud')
  assert.is(verdictOf(questionFor(await requestOf({ cardId: 'card-1', amount: 7 }))).verdict, 'legitimate')
  const kinds = new Set<string>()
  for (let card = 0; card < 1_000; card++) {
    const text = questionFor({ ...draft, data: { ...(draft.data as object), cardId: `card-${card}` } })
    const body = { messages: [{ role: 'user', content: [{ type: 'text', text }] }] }
    const first = answerTo({ text, repeat: 1, body })
    assert.equal(answerTo({ text, repeat: 1, body }), first)
    kinds.add(first.kind === 'message' ? (first.breaks?.kind ?? 'message') : first.kind)
    const repaired = { messages: [...body.messages, { role: 'user', content: 'again' }] }
    for (const again of [answerTo({ text, repeat: 2, body }), answerTo({ text: 'again', repeat: 1, body: repaired })]) {
      const said = again.kind === 'message' && again.content[0]?.type === 'text' ? again.content[0].text : ''
      assert.is(readResult(job.result, said).kind, 'valid', said)
    }
  }
  assert.equal([...kinds].toSorted(), ['cut', 'error', 'message'])
})

const usage = { input: 10, output: 5, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, thinking: 0 }
const billed = { usage: { ...usage, serverTools: {}, terms: [] }, nanos: 1, estimated: false }
const GOOD = { id: 'a', decisions: 1, lost: 0, bills: [{ requestId: 'r1', billed }], state: { kind: 'decided' } }
const jobLike = (changes: object = {}): DemoJob => ({ ...GOOD, ...changes }) as unknown as DemoJob
const call = (requestId: string, outputTokens = 5): ModelCall =>
  ({ requestId, billed: { inputTokens: 10, outputTokens } }) as unknown as ModelCall

test('a request that is no job, a job that nobody requested, and one that is not decided once are found', () => {
  assert.equal(wrongJobs([jobLike()], ['a']), [])
  assert.match(wrongJobs([jobLike()], ['a', 'b']).join(), 'the request b is no job')
  assert.match(wrongJobs([jobLike()], []).join(), 'nobody requested job a')
  for (const decisions of [0, 2])
    assert.match(wrongJobs([jobLike({ decisions })], ['a']).join(), `job a has ${decisions} decisions`)
})

test('a bill that is counted twice, not at all, or otherwise than it was made out is found', () => {
  assert.equal(wrongBills([jobLike()], [call('r1')]), [])
  assert.match(
    wrongBills([jobLike({ bills: [...GOOD.bills, ...GOOD.bills] })], [call('r1')]).join(),
    'r1 is counted twice',
  )
  assert.match(wrongBills([jobLike()], [call('r2')]).join(), 'r1 was not billed')
  assert.match(wrongBills([jobLike()], [call('r1', 6)]).join(), 'r1 was billed 10 in, 6 out, counted 10, 5')
  assert.match(wrongBills([jobLike()], [call('r1'), call('r2')]).join(), '1 bills are not counted, and only 0')
  // what was cut off by a kill may have been billed, and nobody knows
  assert.equal(wrongBills([jobLike({ lost: 1 })], [call('r1'), call('r2')]), [])
})

test.run()
