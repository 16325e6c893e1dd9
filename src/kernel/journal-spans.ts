import type { JournalEntry } from './decision.js'
import type { Turn } from './turn.js'

/** A part of the stored journal: read from this stream sequence on, it holds entries up to this position. */
export interface JournalSpan {
  readonly from: number
  readonly lastAfter: number
}

/** The decisions of turns as journal entries; ticks that follow each other at one position are one. */
export function journalOf(turns: readonly Turn[]): JournalEntry[] {
  const entries: JournalEntry[] = []
  for (const { decision, sequence } of turns) {
    if (decision === undefined) continue
    const entry = { ...decision, after: decision.kind === 'skip' ? sequence - 1 : sequence }
    const last = entries.at(-1)
    const merged = entry.kind === 'tick' && last?.kind === 'tick' && last.after === entry.after
    if (merged) entries[entries.length - 1] = entry
    else entries.push(entry)
  }
  return entries
}

/**
 * What is left of a journal when these turns, which are its first ones, are done. A tick that was merged of several stays
 * until the last of them is.
 */
export function entriesAfter(journal: readonly JournalEntry[], turns: readonly Turn[]): JournalEntry[] {
  const done = journalOf(turns)
  const [last, entry] = [done.at(-1), journal[done.length - 1]]
  const within = last?.kind === 'tick' && entry?.kind === 'tick' && last.time < entry.time
  return journal.slice(within ? done.length - 1 : done.length)
}

/** Spans that a replay from `needed` on (a sequence of the input; undefined: all) still has to read. */
export function neededSpans(spans: readonly JournalSpan[], needed: number | undefined): readonly JournalSpan[] {
  return needed === undefined ? spans : spans.filter(({ lastAfter }) => lastAfter >= needed)
}
