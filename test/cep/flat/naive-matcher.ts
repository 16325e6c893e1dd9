// Finds matches by trying every choice of events and checking each against the definition. Slow and obvious: the
// engine is compared with it. Covers stages with times, strict, relaxed and any, both kinds of not, within, no skip.
import type { NotStage, Pattern, TakeStage } from '../../../src/cep/pattern/pattern.ts'
import type { StoredEvent } from '../../../src/event/event.ts'

interface Slot {
  readonly stage: TakeStage
  readonly min: number
  readonly max: number
  /** Forbidden between the stage before and this one; after the last stage: the tail. */
  readonly nots: readonly NotStage[]
}

/** Each match as the ids of its events by stage. `end`: time reached in the end. */
export function naiveMatches(pattern: Pattern, events: readonly StoredEvent[], end: number): string[] {
  const slots: Slot[] = []
  let nots: NotStage[] = []
  for (const stage of pattern.stages) {
    if (stage.kind === 'not') nots.push(stage)
    else if (stage.kind === 'take') {
      const { min, max } = stage.times ?? { min: 1, max: 1 }
      slots.push({ stage, min, max: max ?? events.length, nots })
      nots = []
    }
  }
  const tail = nots
  const within = pattern.within ?? Infinity
  const found: string[] = []
  const choose = (at: number, taken: readonly number[][]): void => {
    const counts = taken.map((list) => list.length)
    if (taken.length === slots.length && (counts.at(-1) ?? 0) >= (slots.at(-1)?.min ?? 0))
      if (holds(slots, tail, within, events, taken, end)) found.push(describe(slots, events, taken))
    for (let i = at; i < events.length; i++) {
      const current = taken.length - 1
      if (current >= 0 && (counts[current] ?? 0) < (slots[current]?.max ?? 0))
        choose(i + 1, [...taken.slice(0, -1), [...(taken[current] ?? []), i]])
      if (taken.length < slots.length && (current < 0 || (counts[current] ?? 0) >= (slots[current]?.min ?? 0)))
        choose(i + 1, [...taken, [i]])
    }
  }
  choose(0, [])
  return found.sort()
}

const satisfies = (matcher: TakeStage | NotStage, event: StoredEvent | undefined) =>
  event !== undefined && matcher.events.includes(event.type) && (matcher.where?.(event, [], '') ?? true)

function holds(
  slots: readonly Slot[],
  tail: readonly NotStage[],
  within: number,
  events: readonly StoredEvent[],
  taken: readonly (readonly number[])[],
  end: number,
): boolean {
  const all = taken.flat()
  const [first = 0] = all
  const last = all.at(-1) ?? 0
  const start = events[first]?.time ?? 0
  if ((events[last]?.time ?? 0) - start >= within) return false
  for (const [s, slot] of slots.entries()) {
    const own = taken[s] ?? []
    if (!own.every((i) => satisfies(slot.stage, events[i]))) return false
    for (const [n, i] of own.entries()) {
      const before = n > 0 ? own[n - 1] : taken[s - 1]?.at(-1)
      if (before === undefined) continue
      const contiguity = (n > 0 ? slot.stage.inner : slot.stage.contiguity) ?? 'relaxed'
      const between = events.slice(before + 1, i)
      if (contiguity === 'strict' && between.length > 0) return false
      if (contiguity === 'relaxed' && between.some((event) => satisfies(slot.stage, event))) return false
    }
    const following = slots[s + 1]
    const forbidden = following === undefined ? tail : following.nots
    const until = following === undefined ? events.length : (taken[s + 1]?.[0] ?? 0)
    const close = following === undefined ? start + within : Infinity
    for (const not of forbidden)
      for (let n = slot.min - 1; n < own.length; n++) {
        const from = own[n] ?? 0
        if (not.contiguity === 'strict' && satisfies(not, events[from + 1])) return false
        if (not.contiguity === 'relaxed')
          for (let i = from + 1; i <= until && i < events.length; i++) {
            const completes = i === until && i === last && tail.length === 0
            if ((events[i]?.time ?? 0) < close && satisfies(not, events[i]) && !completes) return false
          }
      }
  }
  if (tail.length === 0) return true
  if (tail[0]?.contiguity === 'relaxed') return end - start >= within
  const next = events[last + 1]
  return next !== undefined && next.time - start < within
}

function describe(
  slots: readonly Slot[],
  events: readonly StoredEvent[],
  taken: readonly (readonly number[])[],
): string {
  return taken.map((own, s) => `${slots[s]?.stage.name}:${own.map((i) => events[i]?.id).join(',')}`).join(' ')
}
