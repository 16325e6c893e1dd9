// LastReader
//
// The last messages of many subjects, asked for one by one and read together: a request for each costs the server and this
// process ten times as much. Any server of a cluster may answer, so an answer counts only when it is as far as the reader
// knows the stream to be; else the leader is asked.
import type { Clock } from '../time/clock.js'
import type { Connection } from './connection.js'
import { readLastOf, type DirectMessage } from './direct-read.js'
import { readLast, type LastMessage } from './last-message.js'

export interface LastReaderOptions {
  readonly connection: Connection
  readonly clock: Clock
  readonly stream: string
  /** A subject that has a message: without any, an answer would not say how far it is. */
  readonly known: string
  /** What is stored for certain: a sequence up to which an answer has to know the stream. */
  readonly storedUpTo: () => number
}

interface Asked {
  readonly subject: string
  readonly resolve: (message: LastMessage | undefined) => void
  readonly reject: (error: unknown) => void
}

/** The server takes 1,024 subjects, and holds up others for as long as it looks. */
const MOST = 256

export class LastReader {
  readonly #options: LastReaderOptions
  #asked: Asked[] = []

  constructor(options: LastReaderOptions) {
    this.#options = options
  }

  /**
   * The last message of a subject, in which one token may be `*`: then that of all it takes. What is asked for in one go
   * is read together.
   * @throws as readLast
   */
  read(subject: string): Promise<LastMessage | undefined> {
    return new Promise((resolve, reject) => {
      this.#asked.push({ subject, resolve, reject })
      if (this.#asked.length === 1) queueMicrotask(() => this.#begin())
    })
  }

  #begin(): void {
    const asked = this.#asked
    this.#asked = []
    for (let at = 0; at < asked.length; at += MOST) void this.#together(asked.slice(at, at + MOST))
  }

  async #together(asked: readonly Asked[]): Promise<void> {
    const found = asked.length > 1 ? await this.#find(asked) : undefined
    for (const one of asked)
      if (found === undefined) void this.#alone(one)
      else one.resolve(found.get(one.subject))
  }

  /** @returns undefined when the answer cannot be relied on */
  async #find(asked: readonly Asked[]): Promise<ReadonlyMap<string, DirectMessage> | undefined> {
    const { connection, clock, stream, known, storedUpTo } = this.#options
    const least = storedUpTo()
    try {
      const subjects = [known, ...asked.map(({ subject }) => subject)]
      const { messages, more, upTo } = await readLastOf(connection, stream, subjects, clock)
      return more || upTo < least ? undefined : bySubject(subjects, messages)
    } catch {
      return undefined // whoever asked is told what the leader says, or why that cannot be asked either
    }
  }

  async #alone({ subject, resolve, reject }: Asked): Promise<void> {
    const { connection, stream } = this.#options
    await readLast(connection, stream, subject).then(resolve, reject)
  }
}

/** Which message belongs to what was asked for; of several the last. */
function bySubject(asked: readonly string[], messages: readonly DirectMessage[]): ReadonlyMap<string, DirectMessage> {
  const exact = new Set(asked)
  const places = new Set(asked.map((subject) => subject.split('.').indexOf('*')))
  places.delete(-1)
  const found = new Map<string, DirectMessage>()
  for (const message of messages) {
    const tokens = message.subject.split('.')
    const names = [message.subject, ...Array.from(places, (at) => tokens.with(at, '*').join('.'))]
    for (const name of names)
      if (exact.has(name) && (found.get(name)?.sequence ?? 0) < message.sequence) found.set(name, message)
  }
  return found
}
