/** What one source of a handler has in hand, and what it has to give. */
export interface SourceLoad {
  /** Messages that were handed over and are not done. */
  readonly held: number
  /** Messages asked for that have not come. */
  readonly asked: number
  /** Messages that wait at the server, as far as it said. */
  readonly backlog: number
}

/**
 * Shares what a handler may have in hand among its sources: how much each may hold and ask for together. What is in hand
 * and asked for over all is at most `total`, beside one question of each source that holds nothing: so that what is urgent
 * or due is heard of while everything else is busy. Who has said that more waits gets more, whose turn it is first.
 *
 * @param turn says which of the sources that want more comes next: see LaneWheel
 * @returns for each source what it may hold and ask for; never less than it holds and has asked for
 */
export function shareCredit(
  total: number,
  sources: readonly SourceLoad[],
  turn: (wants: (place: number) => boolean) => number,
): number[] {
  const asks = sources.map(({ asked }) => asked)
  let free = total
  for (const { held, asked } of sources) free -= held + asked
  const wants = (place: number): boolean => {
    const source = sources[place]
    return source !== undefined && (asks[place] ?? 0) < Math.max(source.backlog, source.held === 0 ? 1 : 0)
  }
  const wanting = sources.flatMap((_, place) => (wants(place) ? [place] : []))
  const [only] = wanting
  if (wanting.length === 1 && only !== undefined && free > 0) {
    const more = Math.min(free, Math.max(1, sources[only]?.backlog ?? 0) - (asks[only] ?? 0))
    asks[only] = (asks[only] ?? 0) + more
    free -= more
  }
  for (; free > 0; free--) {
    const place = turn(wants)
    if (place < 0) break
    asks[place] = (asks[place] ?? 0) + 1
  }
  return sources.map(({ held }, place) => {
    const ask = asks[place] ?? 0
    // with nothing in hand, or room left, one question is always open
    return held + (ask === 0 && (held === 0 || free > 0) ? 1 : ask)
  })
}
