import type { Clock } from '../time/clock.js'
import { RemoteTime } from '../time/remote-time.js'
import type { Connection } from './connection.js'

/** How often the server is asked, in ms: two clocks drift apart by some µs in a second, and a server’s may be set. */
const EVERY_MS = 30_000
/** How often until it has answered, and a few times more while its answers come so late that they say little, in ms. */
const AT_FIRST_MS = 1_000
const LATE_MS = 15
const AT_FIRST = 5

/**
 * The clock by which a stream dates what it stores: that of the server which leads it. It is asked for now and then, and
 * whenever the link is back, as another server may lead the stream now; as long as somebody follows it.
 */
export class StreamTime {
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #stream: string
  readonly #time = new RemoteTime()
  readonly #followers = new Set<() => void>()
  #stop: (() => void) | undefined
  #asking = false
  /** Questions that may follow soon. */
  #soon = AT_FIRST

  constructor(connection: Connection, clock: Clock, stream: string) {
    this.#connection = connection
    this.#clock = clock
    this.#stream = stream
  }

  /** Whether the server has answered yet. */
  get known(): boolean {
    return this.#time.known
  }

  /** What the server’s clock says, in ms since the Unix epoch, or a little less. -Infinity: it has not answered yet. */
  now(): number {
    return this.#time.now(this.#clock.monotonic())
  }

  /** Keeps it current. @param onMoved called when it becomes known, or turns out to have been wrong. @returns stops it */
  follow(onMoved: () => void): () => void {
    const follower = (): void => onMoved()
    this.#followers.add(follower)
    if (this.#followers.size === 1) this.#start()
    return () => {
      if (this.#followers.delete(follower) && this.#followers.size === 0) this.#stop?.()
    }
  }

  #start(): void {
    let asked = this.#clock.monotonic()
    const stopAsking = this.#clock.every(AT_FIRST_MS, () => {
      const now = this.#clock.monotonic()
      if (this.known && this.#soon === 0 && now - asked < EVERY_MS) return
      asked = now
      void this.#ask()
    })
    const stopListening = this.#connection.onStatus(({ kind }) => {
      if (kind !== 'connected') return
      this.#soon = AT_FIRST
      void this.#ask()
    })
    this.#stop = () => {
      stopAsking()
      stopListening()
    }
    void this.#ask()
  }

  async #ask(): Promise<void> {
    if (this.#asking || this.#connection.state.kind !== 'connected') return
    this.#asking = true
    const sent = this.#clock.monotonic()
    try {
      const { ts = '' } = await this.#connection.manager.streams.info(this.#stream)
      const time = Date.parse(ts) // every server that is supported says it
      if (Number.isNaN(time)) return
      const received = this.#clock.monotonic()
      const moved = this.#time.read({ sent, received, time })
      this.#soon = received - sent <= LATE_MS ? 0 : Math.max(0, this.#soon - 1)
      if (moved) for (const follower of this.#followers) follower()
    } catch {
      // what is known goes on by the monotonic clock; the next question may be answered
    } finally {
      this.#asking = false
    }
  }
}

const times = new WeakMap<Connection, Map<string, StreamTime>>()

/** The clock of a stream for everybody who runs over this connection. */
export function streamTimeOf(connection: Connection, clock: Clock, stream: string): StreamTime {
  let known = times.get(connection)
  if (known === undefined) times.set(connection, (known = new Map()))
  let time = known.get(stream)
  if (time === undefined) known.set(stream, (time = new StreamTime(connection, clock, stream)))
  return time
}
