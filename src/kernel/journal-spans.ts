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

/** Spans that a replay from `needed` on (a sequence of the input; undefined: all) still has to read. */
export function neededSpans(spans: readonly JournalSpan[], needed: number | undefined): readonly JournalSpan[] {
  return needed === undefined ? spans : spans.filter(({ lastAfter }) => lastAfter >= needed)
}
