import { isFault } from '../../error/millrace-error.js'
import type { Rule } from '../../cep/rule/rule.js'
import { explainKey, type ExplainOptions, type Explanation } from '../explain/explain-key.js'
import { named, weight } from '../explain/in-words.js'
import type { FoundMatch } from './found-match.js'
import { eventIdentity } from './identity.js'

export interface WhyOptions extends Pick<ExplainOptions, 'connection' | 'clock' | 'registry' | 'signal' | 'stream'> {
  /** The rule that did not find them, and the text of its file. */
  readonly rule: Rule
  readonly text: string | undefined
}

/**
 * Why a rule does not find what another one finds: reads the events of each match again and watches what becomes of them.
 * A match about which nothing can be told is left out.
 * @throws errors of the broker
 */
export async function whyDifferent(
  options: WhyOptions,
  found: readonly FoundMatch[],
): Promise<Map<FoundMatch, string>> {
  const reasons = new Map<FoundMatch, string>()
  for (const one of found) {
    if (options.signal?.aborted === true) break
    const why = await whyNot(options, one)
    if (why !== undefined) reasons.set(one, why)
  }
  return reasons
}

async function whyNot(options: WhyOptions, { match, at }: FoundMatch): Promise<string | undefined> {
  const { rule } = options
  const foreign = match.events.find(({ type }) => !rule.eventTypes.includes(type))
  if (foreign !== undefined) return `it does not read ${foreign.type}`
  const key = rule.keyOf(match.last)
  if (key === undefined) return `${named(match.last)} has no key for it`
  try {
    const from = { kind: 'sequence', sequence: match.first.sequence } as const
    const to = { kind: 'sequence', sequence: Math.max(match.first.sequence, match.last.sequence, at) } as const
    return reasonIn(await explainKey({ ...options, key, from, to }), new Set(match.events.map(eventIdentity)))
  } catch (error) {
    if (isFault(error, 'EXPLAIN_UNABLE')) return undefined // what such a rule has under way is not shown, so nothing is told
    throw error
  }
}

/** What says most about these events. */
function reasonIn({ story, words }: Explanation, events: ReadonlySet<string>): string | undefined {
  const shared = (taken: readonly { readonly event: { readonly sequence: number; readonly id: string } }[]): number =>
    taken.filter(({ event }) => events.has(eventIdentity(event))).length
  const [ended] = story.ended
    .filter(({ partial }) => shared(partial.taken) > 0)
    .sort(
      (one, other) =>
        shared(other.partial.taken) - shared(one.partial.taken) || weight(other.reason) - weight(one.reason),
    )
  const nothing = story.events
    .filter(({ event }) => events.has(eventIdentity(event)))
    .flatMap((told) => {
      const why = words.nothing(told)
      return why === undefined ? [] : [`${named(told.event)}: ${why}`]
    })
  if (ended !== undefined && shared(ended.partial.taken) >= events.size - 1) return words.end(ended)
  if (nothing[0] !== undefined) return nothing[0]
  if (ended !== undefined) return words.end(ended)
  const [open] = (story.partials ?? []).filter(({ taken }) => shared(taken) > 0)
  if (open !== undefined)
    return `it has come to ${open.taken.at(-1)?.stage ?? ''}, and waits for ${open.waitsFor.join(' or ')}`
  return story.matches.length > 0 ? 'it found other events of this key instead' : undefined
}
