// RefusedBatches
//
// Invariants (tests cite them):
//   BA6  What the provider refuses of batches for want of a right or of money is said by `millrace status`, and no batch is put
//        together meanwhile, but with one job a minute.
import { classifyFailure } from '../classify-failure.js'
import type { Standstill } from '../worker/call-standstill.js'
import type { BatchClient } from './batch-client.js'

/** How long nothing is sent after a refusal that every other batch would meet, in ms; then one job shows whether it is over. */
const REFUSED_MS = 60_000
/** What nobody has met for so long is not said any more, in ms: there may be no jobs left that would. */
const SAID_MS = 5 * REFUSED_MS

interface Refusal {
  readonly why: string
  readonly at: number
  until: number
}

type Doing = 'create' | 'look'

/** What the provider refuses whoever asks, for want of a right or of money: what is sent to it, and what it is asked of. */
export class RefusedBatches {
  readonly #now: () => number
  readonly #refusals = new Map<Doing, Refusal>()

  /** @param now in ms since the Unix epoch */
  constructor(now: () => number) {
    this.#now = now
  }

  /** Why nothing is sent, or heard of what was; undefined: nothing is refused. */
  get why(): Standstill | undefined {
    const said = [...this.#refusals].filter(([, { at }]) => this.#now() - at <= SAID_MS)
    const texts = said.map(([doing, { why }]) => `${doing === 'create' ? 'batches' : 'answers of batches'}: ${why}`)
    return texts.length === 0 ? undefined : { code: 'JOBS_WAIT', detail: texts.join('; ') }
  }

  /** Whether a job may be put into a batch; one a minute may while batches are refused. @returns until when it may not */
  holds(): number | undefined {
    const refusal = this.#refusals.get('create')
    if (refusal === undefined) return undefined
    const now = this.#now()
    if (refusal.until > now) return refusal.until
    refusal.until = now + REFUSED_MS
    return undefined
  }

  /** The same client; how it fares is noted. */
  watched(client: BatchClient): BatchClient {
    const noting = async <T>(doing: Doing, work: () => Promise<T>): Promise<T> => {
      try {
        const result = await work()
        this.#refusals.delete(doing)
        return result
      } catch (error) {
        const facts = client.factsOf(error)
        const { kind, reason } = classifyFailure(facts)
        const at = this.#now()
        if (kind === 'credential' || kind === 'spend')
          this.#refusals.set(doing, { why: `${reason}: ${facts.message}`, at, until: at + REFUSED_MS })
        throw error
      }
    }
    return {
      ...client,
      create: (questions, signal) => noting('create', () => client.create(questions, signal)),
      find: (id, signal) => noting('look', () => client.find(id, signal)),
      recent: (since, signal) => noting('look', () => client.recent(since, signal)),
    }
  }
}
