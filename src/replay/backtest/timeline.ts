/** How many of each there were in a stretch of event time. */
export interface TimelineBucket {
  /** Where it begins, in ms since the epoch. */
  readonly time: number
  readonly events: number
  readonly matches: number
  /** Matches of what the rule is compared with. */
  readonly against: number
}

export interface TimelineReport {
  /** Width of a bucket in ms. */
  readonly width: number
  /** In order of time, the empty ones too. */
  readonly buckets: readonly TimelineBucket[]
  /** Events whose time lies outside of what is shown: a few that are far from all others. */
  readonly outside: number
}

type Row = [events: number, matches: number, against: number]

const SECOND = 1_000
const DAY = 86_400_000
/** Each is a multiple of the one before, so that buckets can be merged. */
const WIDTHS = [1, 10, 100, SECOND, 5e3, 15e3, 60e3, 3e5, 9e5, 3.6e6, 1.08e7, 4.32e7, DAY, 7 * DAY, 28 * DAY, 364 * DAY]
/** Buckets that are kept while events are counted. */
const MOST = 8_192
/** Share of the events at each end that may be left out when they are far away. */
const FAR = 0.001

/**
 * Counts along event time, in bounded memory and without knowing the range before: when there are too many buckets, they
 * become wider.
 */
export class Timeline {
  #rows = new Map<number, Row>()
  #level = 0
  #width = WIDTHS[0] as number
  // nearly every event falls where the one before it did
  #last: Row | undefined
  #lastAt = -1

  event(time: number): void {
    this.#row(time)[0] += 1
  }

  match(time: number): void {
    this.#row(time)[1] += 1
  }

  against(time: number): void {
    this.#row(time)[2] += 1
  }

  /** @param most buckets, at least 3 */
  report(most: number): TimelineReport {
    const sorted = [...this.#rows].sort(([one], [other]) => one - other)
    const shown = withoutFar(sorted)
    const first = shown[0]?.[0]
    const last = shown.at(-1)?.[0]
    if (first === undefined || last === undefined) return { width: this.#width, buckets: [], outside: 0 }
    const width = widthFor((last - first + 1) * this.#width, most, this.#level)
    const begin = Math.floor((first * this.#width) / width)
    const end = Math.floor((last * this.#width) / width)
    const rows = Array.from({ length: end - begin + 1 }, (): Row => [0, 0, 0])
    for (const [at, row] of shown) add(rows[Math.floor((at * this.#width) / width) - begin] as Row, row)
    const buckets = rows.map(([events, matches, against], at) => ({
      time: (begin + at) * width,
      events,
      matches,
      against,
    }))
    const outside = sorted.reduce((sum, [at, [events]]) => (at < first || at > last ? sum + events : sum), 0)
    return { width, buckets, outside }
  }

  #row(time: number): Row {
    const at = Math.floor(time / this.#width)
    if (at === this.#lastAt && this.#last !== undefined) return this.#last
    let row = this.#rows.get(at)
    if (row === undefined) {
      if (this.#rows.size >= MOST && this.#widen()) return this.#row(time)
      this.#rows.set(at, (row = [0, 0, 0]))
    }
    this.#last = row
    this.#lastAt = at
    return row
  }

  #widen(): boolean {
    const width = WIDTHS[this.#level + 1]
    if (width === undefined) return false
    const rows = new Map<number, Row>()
    for (const [at, row] of this.#rows) {
      const wide = Math.floor((at * this.#width) / width)
      const there = rows.get(wide)
      if (there === undefined) rows.set(wide, row)
      else add(there, row)
    }
    this.#rows = rows
    this.#level += 1
    this.#width = width
    this.#last = undefined
    return true
  }
}

function add(to: Row, row: Row): void {
  to[0] += row[0]
  to[1] += row[1]
  to[2] += row[2]
}

function widthFor(span: number, most: number, level: number): number {
  const fits = (width: number): boolean => span / width <= most - 1
  const widest = WIDTHS.at(-1) as number
  return WIDTHS.find((width, at) => at >= level && fits(width)) ?? Math.ceil(span / (most - 1) / widest) * widest
}

/** Leaves out a few events that are far from all others, a wrong date for instance, unless something was found there. */
function withoutFar(sorted: readonly (readonly [number, Row])[]): readonly (readonly [number, Row])[] {
  const total = sorted.reduce((sum, [, [events]]) => sum + events, 0)
  const core = [quantile(sorted, total * FAR), quantile(sorted, total * (1 - FAR))] as const
  const room = (core[1] - core[0] + 1) * 0.5
  return sorted.filter(
    ([at, [, matches, against]]) => matches + against > 0 || (at >= core[0] - room && at <= core[1] + room),
  )
}

function quantile(sorted: readonly (readonly [number, Row])[], events: number): number {
  let seen = 0
  for (const [at, row] of sorted) {
    seen += row[0]
    if (seen >= events) return at
  }
  return sorted.at(-1)?.[0] ?? 0
}
