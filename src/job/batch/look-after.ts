// LookAfter
//
// One look at a batch, by whoever has its message: the provider is asked, and what follows is on the log before the message is done.
//
//   the queue -> LookAfter:  a batch whose time has come
//   LookAfter -> provider:   is it there, has it ended, its answers
//   LookAfter -> JobLog:     what became of each job, as of any attempt
//   LookAfter -> BatchLooks: the next look
//
// Invariants (tests cite them):
//   BA4  Each job of a batch that ended gets its answer, or goes on as after any attempt, whoever is ended in between; it is billed once.
//   BA5  Nothing is asked again before it is sure that the provider does not have it, or has given it up.
import { insisting } from '../worker/job-history.js'
import type { BatchEvent } from './batch-event.js'
import type { BatchPorts } from './batch-ports.js'
import { pollDelay, shownWithin } from './batch-rules.js'
import type { BatchState } from './batch-state.js'
import { decideLost, ownerOf } from './find-lost-batch.js'
import { goOnAlone, settleAnswers } from './settle-answers.js'
import { within } from './within.js'

type At<Kind extends BatchState['kind']> = Extract<BatchState, { kind: Kind }>

/** How long a list, or a batch, may take to come, in ms. */
const ASKING_MS = 60_000

export class LookAfter {
  readonly #ports: BatchPorts
  /** Whose the batches of the provider are whose answers were looked at: of several that are looked for, each is one’s own. */
  readonly #owners = new Map<string, string>()

  constructor(ports: BatchPorts) {
    this.#ports = ports
  }

  /**
   * @param copy sequence of the message that says so
   * @throws errors of the broker that do not pass, and of the provider: the message is to come again
   */
  async look(batch: string, copy: number): Promise<void> {
    const { batches, looks, now } = this.#ports
    for (;;) {
      const { state, version } = await insisting(this.#ports, () => batches.read(batch))
      const next = await this.#step(batch, copy, state)
      if (next === undefined) return
      if (next.kind === 'again') return insisting(this.#ports, () => looks.at(batch, `${copy}`, now() + next.delay))
      // somebody else was faster: what there is then is looked at
      await insisting(this.#ports, () => batches.append(batch, version, [next.event]))
    }
  }

  async #step(
    batch: string,
    copy: number,
    state: BatchState,
  ): Promise<
    | { readonly kind: 'again'; readonly delay: number }
    | { readonly kind: 'tell'; readonly event: BatchEvent }
    | undefined
  > {
    const tell = (event: BatchEvent) => ({ kind: 'tell', event }) as const
    const { now } = this.#ports
    switch (state.kind) {
      case 'none':
      case 'settled':
        return undefined
      case 'collected':
        return this.#lost(batch, state)
      case 'submitted':
        return this.#submitted(batch, copy, state)
      case 'dropped':
        await goOnAlone(this.#ports, { batch, copy, state })
        return tell({ type: 'batch.settled', at: now() })
    }
  }

  /** Whoever was to say whether it was created has not, so far. */
  async #lost(batch: string, { at, jobs }: At<'collected'>) {
    const { client, clock, rules, signal, now, log } = this.#ports
    const lost = { batch, at, size: jobs.length, shownWithin: shownWithin(rules), skew: rules.skew }
    const delay = pollDelay(rules, now() - at)
    // as long as it may be on its way, nobody has to ask
    if (now() < at + rules.sending) return { kind: 'again', delay } as const
    const listed = await within(clock, ASKING_MS, signal, (ends) => client.recent(at - rules.skew, ends))
    const owners = new Map(this.#owners)
    let isUnsure = false
    for (;;) {
      const verdict = decideLost(lost, listed, owners, now())
      if (verdict.kind === 'wait' || (verdict.kind === 'never' && isUnsure)) return { kind: 'again', delay } as const
      if (verdict.kind === 'never') {
        const dropped = { reason: 'not-sent', again: now(), lane: 'batch' } as const
        return { kind: 'tell', event: { type: 'batch.dropped', at: now(), ...dropped } } as const
      }
      const { id: provider, endedAt } = verdict.found
      const owner = await this.#ownerOf(provider)
      // a file without any line was cut, as long as that can be: it may be of any
      const isCut = owner === undefined && now() - endedAt <= rules.missing
      isUnsure ||= isCut
      owners.set(provider, owner ?? '')
      if (!isCut) this.#owners.set(provider, owner ?? '')
      if (owner !== batch) continue
      log.info({ batch, provider }, 'a batch was found again')
      return { kind: 'tell', event: { type: 'batch.submitted', at: now(), provider } } as const
    }
  }

  /** One of its answers says whose it is. @returns undefined: there is none */
  async #ownerOf(provider: string): Promise<string | undefined> {
    const { client, clock, signal } = this.#ports
    return within(clock, ASKING_MS, signal, async (ends) => {
      for await (const { customId } of client.answers(provider, ends)) return ownerOf(customId)
      return undefined
    })
  }

  async #submitted(batch: string, copy: number, state: At<'submitted'>) {
    const { client, clock, rules, signal, now, log, times } = this.#ports
    const { provider, at, stray } = state
    const found = await within(clock, ASKING_MS, signal, (ends) => client.find(provider, ends))
    if (found === undefined && now() - at > rules.missing) {
      log.warn({ batch, provider }, 'the provider does not have a batch any more; its jobs are asked again')
      if (stray) return { kind: 'tell', event: { type: 'batch.settled', at: now() } } as const
      const dropped = { reason: 'batch-gone', again: now(), lane: 'batch' } as const
      return { kind: 'tell', event: { type: 'batch.dropped', at: now(), ...dropped } } as const
    }
    const later = { kind: 'again', delay: pollDelay(rules, now() - at) } as const
    if (found?.endedAt === undefined) return later
    const last = now() - found.endedAt > rules.missing
    // a file that was cut is read once more
    if (!(await settleAnswers(this.#ports, { batch, copy, state }, last))) return later
    if (!stray) times.saw(now() - at)
    return { kind: 'tell', event: { type: 'batch.settled', at: now() } } as const
  }
}
