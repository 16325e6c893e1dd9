// Windows by their definition: everything that came is kept, and each window is computed anew each time.
import type { ResultKind } from '../../../src/cep/aggregate/window-plan.ts'
import type { Result, Tick } from './at-windows.ts'

interface Seen {
  readonly time: number
  readonly key: string
  readonly value: number
}

export interface Naive {
  readonly results: Result[][]
  readonly late: number[]
}

function resultOf(events: readonly Seen[], kind: ResultKind, start: number, end: number, time: number): Result {
  const values = events.map(({ value }) => value)
  const times = events.map((event) => event.time)
  return {
    key: (events[0] as Seen).key,
    time,
    first: Math.min(...times),
    last: Math.max(...times),
    values: {
      kind,
      start,
      end,
      n: values.length,
      total: values.reduce((a, b) => a + b, 0),
      low: Math.min(...values),
      high: Math.max(...values),
      kinds: new Set(values).size,
    },
  }
}

/** Tumbling and sliding windows. `late`: how many events were too late, at each input. */
export function alignedWindows(
  ticks: readonly Tick[],
  { size, step, offset = 0, keep = 0 }: { size: number; step: number; offset?: number; keep?: number },
): Naive {
  const seen: Seen[] = []
  const keys = new Set<string>()
  let clock = -Infinity
  const late: number[] = []
  const inWindow = (key: string, end: number) =>
    seen.filter((event) => event.key === key && event.time >= end - size && event.time < end)
  const results = ticks.map(([time, key, value], at) => {
    const out: Result[] = []
    late[at] = 0
    if (time >= clock) {
      if (clock > -Infinity)
        for (let end = nextEnd(clock); end <= time; end += step)
          for (const each of keys) {
            const events = inWindow(each, end)
            if (events.length > 0) out.push(resultOf(events, 'final', end - size, end, end))
          }
      clock = time
      if (key !== undefined) seen.push({ time, key, value })
    } else if (key !== undefined) {
      const ends: number[] = []
      for (let end = nextEnd(time); end - size <= time; end += step) ends.push(end)
      if (ends.length > 0 && (ends.at(-1) as number) + keep <= clock) late[at] = 1
      else {
        seen.push({ time, key, value })
        for (const end of ends)
          if (end <= clock && end + keep > clock) out.push(resultOf(inWindow(key, end), 'late', end - size, end, clock))
      }
    }
    if (key !== undefined) keys.add(key)
    return out
  })
  return { results, late }

  function nextEnd(time: number): number {
    let end = offset + size // of some window
    while (end > time) end -= step
    while (end <= time) end += step
    return end
  }
}

interface Session {
  events: Seen[]
  given: boolean
  replaces: { start: number; end: number }[]
}

/** Sessions: lists of events, of which those become one that touch. */
export function sessions(ticks: readonly Tick[], { gap, keep = 0 }: { gap: number; keep?: number }): Naive {
  const all = new Map<string, Session[]>()
  const late: number[] = []
  let clock = -Infinity
  const startOf = ({ events }: Session) => Math.min(...events.map(({ time }) => time))
  const endOf = ({ events }: Session) => Math.max(...events.map(({ time }) => time)) + gap
  const put = (session: Session, kind: ResultKind, time: number): Result => {
    session.given = true
    const [start, end] = [startOf(session), endOf(session)]
    const result = resultOf(session.events, kind, start, end, time)
    const replaces = session.replaces.filter((each) => each.start !== start || each.end !== end)
    session.replaces = replaces
    return replaces.length === 0 ? result : { ...result, values: { ...result.values, replaces } }
  }
  const results = ticks.map(([time, key, value], at) => {
    const out: Result[] = []
    late[at] = 0
    if (time >= clock) {
      clock = time
      for (const [each, list] of all) {
        for (const session of list)
          if (!session.given && endOf(session) <= clock) out.push(put(session, 'final', endOf(session)))
        all.set(
          each,
          list.filter((session) => endOf(session) + keep > clock),
        )
      }
    }
    if (key === undefined) return out
    const known = all.get(key) ?? []
    const touching = known.filter((session) => time < endOf(session) && time + gap > startOf(session))
    if (touching.length === 0 && time + gap + keep <= clock) {
      late[at] = 1
      return out
    }
    const joined: Session = {
      events: [{ time, key, value }, ...touching.flatMap(({ events }) => events)],
      given: false,
      replaces: touching.flatMap((session) => [
        ...session.replaces,
        ...(session.given ? [{ start: startOf(session), end: endOf(session) }] : []),
      ]),
    }
    all.set(
      key,
      [...known.filter((session) => !touching.includes(session)), joined].sort((a, b) => startOf(a) - startOf(b)),
    )
    if (endOf(joined) <= clock) out.push(put(joined, 'late', clock))
    return out
  })
  return { results, late }
}
