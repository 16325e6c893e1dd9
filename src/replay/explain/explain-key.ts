import type { StoredMessage } from '../../broker/stored-message.js'
import { writtenConditions } from '../../cep/rule/rule-conditions.js'
import type { Rule } from '../../cep/rule/rule.js'
import { fault } from '../../error/millrace-error.js'
import { decodeEvents } from '../../event/decode-event.js'
import { planRange, type PlanRequest, type RangePlan } from '../backtest/plan-range.js'
import { readRange } from '../read-range.js'
import { readSource } from '../source-stream.js'
import { InWords } from './in-words.js'
import { KeyStory } from './key-story.js'
import { wantedEvents } from '../wanted-types.js'

export interface ExplainOptions extends Omit<PlanRequest, 'rules' | 'types' | 'from'> {
  readonly rule: Rule
  /** Of its file; undefined: its conditions are not explained. */
  readonly text: string | undefined
  readonly key: string
  /** What happened from there on is told; undefined: only what is under way at the end. */
  readonly from?: PlanRequest['from'] | undefined
  readonly onProgress?: (done: { readonly events: number; readonly messages: number; readonly of: number }) => void
}

/** What became of the events of a key. */
export interface Explanation {
  readonly plan: RangePlan
  readonly story: KeyStory
  readonly words: InWords
  readonly ended: 'complete' | 'interrupted'
}

/**
 * Runs a rule over as much of its stream as can still matter for one key, and keeps what happens. It only reads.
 * @throws EXPLAIN_UNABLE, REPLAY_RANGE_INVALID, STREAM_NOT_FOUND and errors of the broker
 */
export async function explainKey(options: ExplainOptions): Promise<Explanation> {
  const { connection, clock, signal, rule, key, text, registry, onProgress } = options
  const story = new KeyStory(rule, key)
  if (!story.isTellable) throw fault('EXPLAIN_UNABLE', rule.name)
  const from = options.from ?? (await now(options))
  const plan = await planRange({ ...options, from, rules: [rule] })
  const { stream, filters, wants, readFrom, first, last, of } = plan
  let [events, messages] = [0, 0]
  const take = (taken: readonly StoredMessage[]): void => {
    for (const message of taken) {
      const { sequence, storedAt } = message
      if (sequence >= first && options.from !== undefined) begin()
      const decoded = decodeEvents(registry, message, { stream, sequence, storedAt, kept: true })
      for (const one of wantedEvents(decoded, wants))
        if (one.kind === 'event') {
          events += 1
          story.take(one.event)
        }
    }
    messages += taken.length
    onProgress?.({ events, messages, of })
  }
  let isBegun = false
  const begin = (): void => {
    if (isBegun) return
    isBegun = true
    if (plan.begins !== undefined) story.passStored(plan.begins)
    story.tell()
  }
  const ended = await readRange(connection, { stream, filters, first: readFrom, last, clock, signal, take })
  if (ended === 'complete') {
    if (options.from !== undefined) begin()
    story.passStored(plan.ends)
  }
  return { plan, story, words: new InWords(story, text === undefined ? [] : writtenConditions(text)), ended }
}

/** The last message: what is read before it is what can still matter. */
async function now({ connection, stream, to }: ExplainOptions): Promise<PlanRequest['from']> {
  if (to?.kind === 'sequence') return to
  const { first, last } = await readSource(connection, stream)
  return { kind: 'sequence', sequence: Math.max(1, first, last) }
}
