// Timeline: who held which unit when, and what was done to whom. With it a pause can be told from its causes: an output
// that waited 12 s because the worker of its unit was killed three times in a row waited for three takeovers, and how
// long the runtime takes is the time since the last of them.

/** What happened to a worker, or to the server. */
export interface Hit {
  readonly at: number
  readonly what: string
}

interface Worker {
  readonly readyAt: number
  readonly hits: Hit[]
}

/** All times are in ms since the epoch, of the clock that the workers and the server share. */
export class Timeline {
  /** Who took a unit, in order. */
  readonly #taken = new Map<string, { readonly at: number; readonly worker: string }[]>()
  readonly #workers = new Map<string, Worker>()
  readonly #server: Hit[] = []

  taken(unit: string, worker: string, at: number): void {
    const all = this.#taken.get(unit)
    if (all === undefined) this.#taken.set(unit, [{ at, worker }])
    else all.push({ at, worker })
  }

  /** A worker has started. */
  ready(worker: string, at: number): void {
    this.#workers.set(worker, { readyAt: at, hits: this.#workers.get(worker)?.hits ?? [] })
  }

  /** A signal that was sent to a worker. */
  worker(worker: string, what: string, at = Date.now()): void {
    const known = this.#workers.get(worker)
    if (known === undefined) this.#workers.set(worker, { readyAt: Number.POSITIVE_INFINITY, hits: [{ at, what }] })
    else known.hits.push({ at, what })
  }

  /** The server, or the leader of the stream, is killed, or there is one again. */
  server(what: string, at = Date.now()): void {
    this.#server.push({ at, what })
  }

  /** Whether the server or a worker was hit in that time. */
  disturbed(worker: string, from: number, until: number): boolean {
    const all = [...this.#server, ...(this.#workers.get(worker)?.hits ?? [])]
    return all.some(({ at }) => at >= from && at <= until)
  }

  /** How many units a worker took that nobody has taken since. */
  heldBy(worker: string): number {
    return [...this.#taken.values()].filter((takes) => takes.at(-1)?.worker === worker).length
  }

  /** How often a unit was taken by another one than the first. */
  get takeovers(): number {
    return [...this.#taken.values()].reduce((sum, takes) => sum + takes.length - 1, 0)
  }

  /** How often the server came back, and when. */
  get returns(): readonly number[] {
    return this.#server.filter(({ what }) => what === 'server back').map(({ at }) => at)
  }

  /** What hit the server, or whoever held the unit then, in that time; in order. */
  hits(unit: string, from: number, until: number): Hit[] {
    const within = ({ at }: Hit): boolean => at >= from && at <= until
    const takes = this.#taken.get(unit) ?? []
    const found = this.#server.filter(within)
    for (const [n, { at, worker }] of takes.entries()) {
      const lost = takes[n + 1]?.at ?? Number.POSITIVE_INFINITY
      for (const hit of this.#workers.get(worker)?.hits ?? [])
        if (within(hit) && hit.at >= at && hit.at < lost) found.push({ ...hit, what: `${hit.what} (${worker})` })
    }
    return found.sort((one, other) => one.at - other.at)
  }

  /**
   * From when on nothing was in the way of a unit until then: its owner and the server were left alone, and, where the
   * owner had just been killed, somebody else lived who could find that out. A lease is longer than the time between two
   * kills, so that it happens that nobody did.
   */
  clearSince(unit: string, from: number, until: number): number {
    let since = this.hits(unit, from, until).at(-1)?.at ?? from
    while (since < until) {
      const next = this.#nobodyFrom(since)
      if (next >= until) return since
      since = next
    }
    return until
  }

  /** When the last one of those who worked at a time was hit, or, with none of them, when the next one started. */
  #nobodyFrom(at: number): number {
    const workers = [...this.#workers.values()]
    const awake = workers.filter((worker) => isAwake(worker, at))
    if (awake.length === 0) return Math.min(...workers.map(({ readyAt }) => readyAt).filter((ready) => ready > at))
    return Math.max(...awake.map(({ hits }) => hits.find((hit) => hit.at > at)?.at ?? Number.POSITIVE_INFINITY))
  }
}

function isAwake({ readyAt, hits }: Worker, at: number): boolean {
  const last = hits.filter((hit) => hit.at <= at).at(-1)
  return readyAt <= at && (last === undefined || last.what === 'SIGCONT')
}
