import { messageOf } from '../../error/millrace-error.js'
import { classifyFailure } from '../classify-failure.js'
import { readRetryAfter } from '../retry-after.js'
import { insisting } from '../worker/job-history.js'
import type { BatchQuestion, ProviderBatch } from './batch-client.js'
import type { BatchEvent } from './batch-event.js'
import type { BatchPorts } from './batch-ports.js'
import { within } from './within.js'

/** How long jobs wait whose batch is refused for want of a right, of money, or as there are too many, in ms. */
const REFUSED_MS = 60_000
/** Statuses that say nothing of whether it was created. */
const UNSURE: readonly number[] = [408, 409, 499]

export interface SentBatch {
  readonly batch: string
  readonly questions: readonly BatchQuestion[]
  /** When it was put on the log, by the monotonic clock. */
  readonly since: number
}

/**
 * Sends a batch that is on the log, once (BA1). Where it cannot be told whether the provider has it, nothing is said: whoever
 * looks after it finds out. Never rejects.
 */
export async function sendBatch(ports: BatchPorts, { batch, questions, since }: SentBatch): Promise<void> {
  const { clock, rules, signal, client, log } = ports
  try {
    // a process that was frozen since then comes too late: others may have given it up
    if (clock.monotonic() - since > rules.sending)
      return log.warn({ batch }, 'a batch is not sent, as it is too late for it')
    const made = await created(ports, questions)
    if (made.kind === 'unsure')
      return log.warn({ batch, detail: made.detail }, 'it is not known whether a batch was created')
    if (made.kind === 'refused') {
      const { reason, again, lane } = made
      log.warn({ batch, detail: reason }, 'a batch was refused; its jobs go on without it')
      return void (await tell(ports, batch, 1, { type: 'batch.dropped', at: ports.now(), reason, again, lane }))
    }
    const { id: provider } = made.batch
    if (await tell(ports, batch, 1, { type: 'batch.submitted', at: ports.now(), provider })) return
    await stray(ports, batch, provider)
  } catch (error) {
    if (!signal.aborted) log.warn({ batch, detail: messageOf(error) }, 'it cannot be said what became of a batch')
  }
  async function stray(all: BatchPorts, id: string, provider: string): Promise<void> {
    const { state, version } = await insisting(all, () => all.batches.read(id))
    if (state.kind === 'submitted') return // somebody has found it
    log.warn({ batch, provider }, 'a batch was given up before it was created; it is canceled')
    await tell(all, id, version, { type: 'batch.submitted', at: all.now(), provider })
    await insisting(all, () => all.looks.at(id, `stray ${provider}`, all.now() + rules.pollLeast))
    await within(clock, rules.creating, signal, (ends) => client.cancel(provider, ends))
  }
}

type Created =
  | { readonly kind: 'created'; readonly batch: ProviderBatch }
  | { readonly kind: 'refused'; readonly reason: string; readonly again: number; readonly lane: 'standard' | 'batch' }
  | { readonly kind: 'unsure'; readonly detail: string }

async function created(
  { client, clock, rules, signal, now }: BatchPorts,
  questions: readonly BatchQuestion[],
): Promise<Created> {
  try {
    return {
      kind: 'created',
      batch: await within(clock, rules.creating, signal, (ends) => client.create(questions, ends)),
    }
  } catch (error) {
    const facts = client.factsOf(error)
    const { status = 0, message: detail } = facts
    if (status < 400 || status >= 500 || UNSURE.includes(status)) return { kind: 'unsure', detail }
    const { kind, reason } = classifyFailure(facts)
    // one of them cannot be asked so: by themselves the others can
    if (kind === 'never') return { kind: 'refused', reason: `${reason}: ${detail}`, again: now(), lane: 'standard' }
    const wait = readRetryAfter(facts.header, now()) ?? REFUSED_MS
    return { kind: 'refused', reason: `${reason}: ${detail}`, again: now() + wait, lane: 'batch' }
  }
}

/** @returns false: somebody else has said something before */
function tell(ports: BatchPorts, batch: string, version: number, event: BatchEvent): Promise<boolean> {
  return insisting(ports, () => ports.batches.append(batch, version, [event]))
}
