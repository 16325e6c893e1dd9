import type { Partial } from '../../cep/engine/partial.js'
import { eventReport, text, type EventReport } from '../backtest/found-match.js'
import type { Match } from '../../cep/engine/match.js'
import { nearestName } from '../../event/nearest-name.js'
import type { Explanation } from './explain-key.js'
import type { InWords } from './in-words.js'
import type { Ended, KeyStory } from './key-story.js'
import { readingReport, type ReadingReport } from './readings.js'

/** Something that has begun. */
export interface PartialReport {
  /** The stage that it has come to. */
  readonly reached: string
  readonly taken: readonly (EventReport & { readonly stage: string })[]
  readonly waitsFor: readonly string[]
  /** When its window closes; null: nothing closes it. */
  readonly until: string | null
}

export interface EndedReport extends PartialReport {
  readonly time: string
  readonly reason: string
  readonly why: string
}

export interface MatchedReport {
  readonly time: string
  readonly events: readonly (EventReport & { readonly stage: string })[]
}

/** What became of the events of one key, as data that JSON can carry. Its shape is stable. */
export interface ExplanationReport {
  readonly format: 1
  readonly rule: string
  readonly key: string
  readonly stream: string
  readonly range: { readonly first: number; readonly last: number; readonly readFrom: number; readonly enough: boolean }
  readonly complete: boolean
  /** Event time that the rule has come to; null before the first event. */
  readonly clock: string | null
  /** Under way at the end, oldest first. */
  readonly partials: readonly PartialReport[]
  /** What came to nothing in the range, in order. */
  readonly ended: readonly EndedReport[]
  readonly matches: readonly MatchedReport[]
  /** Events of the range that are part of nothing. */
  readonly nothing: readonly { readonly event: EventReport; readonly why: string }[]
  /** Of a detector: what it made of each value of the range, in order; without a range, of the last one. */
  readonly readings?: readonly ReadingReport[]
  /** Events of the range that had the key. */
  readonly events: number
  /** Whether an event of the key was read at all, also before the range. */
  readonly known: boolean
  /** A key that was read and is like it; null where the key is known, or none is like it. */
  readonly nearest: string | null
}

export function explanationReport({ plan, story, words, ended }: Explanation): ExplanationReport {
  const { rule, key, clock } = story
  return {
    format: 1,
    rule: rule.name,
    key,
    stream: plan.stream,
    range: { first: plan.first, last: plan.last, readFrom: plan.readFrom, enough: plan.isWarm },
    complete: ended === 'complete',
    clock: clock === undefined ? null : text(clock),
    partials: (story.partials ?? []).map(partialReport),
    ended: story.ended
      .filter((one) => !isInMatch(one, story.matches))
      .map((one) => ({
        ...partialReport(one.partial),
        time: text(one.time),
        reason: one.reason.kind,
        why: words.end(one),
      })),
    matches: story.matches.map(({ time, stages }) => ({
      time: text(time),
      events: Object.entries(stages).flatMap(([stage, events]) =>
        events.map((event) => ({ stage, ...eventReport(event) })),
      ),
    })),
    ...(rule.executable.judges === true
      ? { readings: readingsOf(story), nothing: [] }
      : { nothing: nothingOf(story, words) }),
    events: story.events.length + story.forgotten,
    known: story.isKnown,
    nearest: story.isKnown ? null : (nearestName(key, story.others) ?? null),
  }
}

function readingsOf({ judgements, lastJudgement }: KeyStory): ReadingReport[] {
  const told = judgements.length === 0 && lastJudgement !== undefined ? [lastJudgement] : judgements
  return told.map(readingReport)
}

function nothingOf(story: KeyStory, words: InWords): ExplanationReport['nothing'] {
  return story.events.flatMap((told) => {
    const why = words.nothing(told)
    return why === undefined ? [] : [{ event: eventReport(told.event), why }]
  })
}

/** What a match ruled out and is all part of it, is not something that came to nothing. */
function isInMatch({ partial, reason }: Ended, matches: readonly Match[]): boolean {
  if (reason.kind !== 'skipped') return false
  return matches.some((match) => partial.taken.every(({ event }) => match.events.some(({ id }) => id === event.id)))
}

function partialReport({ taken, waitsFor, until }: Partial): PartialReport {
  return {
    reached: taken.at(-1)?.stage ?? '',
    taken: taken.map(({ stage, event }) => ({ stage, ...eventReport(event) })),
    waitsFor,
    until: until === null ? null : text(until),
  }
}
