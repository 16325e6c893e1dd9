import type { BatchAnswer } from './batch-client.js'
import type { BatchPorts } from './batch-ports.js'
import type { BatchState } from './batch-state.js'
import { eachOf } from './each-of.js'
import { placeOf } from './find-lost-batch.js'
import { goOnWithout, settleJob } from './settle-job.js'
import { within } from './within.js'

export interface Looked<Kind extends BatchState['kind']> {
  readonly batch: string
  /** Sequence of the message that says to look. */
  readonly copy: number
  readonly state: Extract<BatchState, { kind: Kind }>
}

/** Jobs whose logs are written to at a time. */
const AT_ONCE = 16
/** How long nothing may come of the answers, in ms. */
const IDLE_MS = 60_000

/**
 * Has each job of a batch that has ended get its answer. It can be done again, as often as anybody is ended in the middle.
 * @param last whether a job without an answer is given up here, and asked again
 * @returns false: some have no answer yet
 */
export async function settleAnswers(
  ports: BatchPorts,
  { batch, copy, state }: Looked<'submitted'>,
  last: boolean,
): Promise<boolean> {
  const missing = new Set(state.jobs)
  const { stray } = state
  await eachOf(AT_ONCE, answersOf(ports, state.provider), async ({ customId, answer }) => {
    const job = state.jobs[placeOf(batch, customId) ?? -1]
    if (job === undefined) return
    missing.delete(job)
    await settleJob(ports, { copy, stray, job, answer })
  })
  if (missing.size > 0 && !last) return false
  await eachOf(AT_ONCE, missing, (job) => settleJob(ports, { copy, stray, job, answer: { kind: 'expired' } }))
  return true
}

/** Has each job of a batch that is not at the provider go on without it. */
export async function goOnAlone(ports: BatchPorts, { copy, state }: Looked<'dropped'>): Promise<void> {
  await eachOf(AT_ONCE, state.jobs, (job) => goOnWithout(ports, { ...state, copy, job }))
}

/** The answers, as long as some come: what stalls would stay for ever. */
async function* answersOf(
  { client, clock, signal }: BatchPorts,
  provider: string,
): AsyncGenerator<{ readonly customId: string; readonly answer: BatchAnswer }, void> {
  const ends = new AbortController()
  const answers = client.answers(provider, AbortSignal.any([signal, ends.signal]))[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await within(clock, IDLE_MS, signal, () => answers.next())
      if (next.done === true) return
      yield next.value
    }
  } finally {
    ends.abort()
  }
}
