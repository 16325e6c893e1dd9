import type { Connection } from '../broker/connection.js'
import { asFault } from '../broker/api-error.js'
import { messagesFrom } from '../broker/messages-from.js'
import type { StoredMessage } from '../broker/stored-message.js'
import { readStreamIdentity } from '../broker/stream-identity.js'
import type { Remark } from '../kernel/remark.js'
import type { Clock } from '../time/clock.js'
import type { PersonalKey } from './personal-key.js'
import { ensurePersonalKeys, KEY_OPERATION, PERSONAL_KEYS, PersonalKeys } from './personal-keys.js'

/** What a running actor needs to know of erasures (PE5). */
export interface Erasures {
  /** Resolves when every erasure from now on is heard of: a key that is read after it is watched over. */
  ready(): Promise<void>
  /** Whether a key is known to be erased. */
  isErased(key: PersonalKey): boolean
  /** Calls `listener` with each subject that is erased. @returns stops that */
  onErased(listener: (subject: string) => void): () => void
  /** What has kept it from hearing of erasures since it was asked last. */
  takeRemarks(): readonly Remark[]
  /** The key that takes the place of an erased one; undefined when nobody waits for it any more. */
  renew(subject: string, signal: AbortSignal): Promise<PersonalKey | undefined>
}

const STREAM = `KV_${PERSONAL_KEYS}`
const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 5_000
const TELL_EVERY_MS = 30_000

/** Watches the bucket of keys, as long as somebody listens. */
export class PersonalWatch implements Erasures {
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #replicas: number
  readonly #listeners = new Set<(subject: string) => void>()
  readonly #erased = new Map<string, number>()
  #end: AbortController | undefined
  #begun: Promise<void> | undefined
  #remarks: Remark[] = []
  /** Attempts that have failed since the last one that did not. */
  #failures = 0
  #toldAt = Number.NEGATIVE_INFINITY

  constructor(connection: Connection, clock: Clock, replicas: number) {
    this.#connection = connection
    this.#clock = clock
    this.#replicas = replicas
  }

  ready(): Promise<void> {
    const end = this.#end
    if (end === undefined) return Promise.resolve() // stopped: nobody needs what is loaded
    this.#begun ??= this.#begin(end.signal).catch((error: unknown) => {
      if (this.#end === end) this.#begun = undefined // the next one tries again
      throw error
    })
    return this.#begun
  }

  isErased({ subject, revision }: PersonalKey): boolean {
    return (this.#erased.get(subject) ?? 0) > revision
  }

  onErased(listener: (subject: string) => void): () => void {
    this.#listeners.add(listener)
    this.#end ??= new AbortController()
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size > 0) return
      this.#end?.abort()
      this.#end = this.#begun = undefined
    }
  }

  takeRemarks(): readonly Remark[] {
    const remarks = this.#remarks
    if (remarks.length > 0) this.#remarks = []
    return remarks
  }

  renew(subject: string, signal: AbortSignal): Promise<PersonalKey | undefined> {
    return this.#untilDone(signal, () => new PersonalKeys(this.#connection).ensure(subject, this.#replicas))
  }

  /** @throws errors of the broker */
  async #begin(signal: AbortSignal): Promise<void> {
    await ensurePersonalKeys(this.#connection, this.#replicas)
    const { last } = await readStreamIdentity(this.#connection, STREAM)
    void this.#follow(last + 1, signal)
  }

  async #follow(from: number, signal: AbortSignal): Promise<void> {
    const place = { stream: STREAM, filter: `$KV.${PERSONAL_KEYS}.>`, clock: this.#clock, signal }
    let next = from
    while (!signal.aborted)
      await this.#untilDone(signal, async () => {
        for await (const message of messagesFrom(this.#connection, { ...place, from: next })) {
          next = message.sequence + 1
          this.#take(message)
        }
      })
  }

  #take({ subject, sequence, headers }: StoredMessage): void {
    this.#failures = 0
    if (headers.get(KEY_OPERATION) === undefined) return
    const token = subject.slice(subject.lastIndexOf('.') + 1)
    this.#erased.set(token, sequence)
    for (const listener of this.#listeners) listener(token)
  }

  /** A server that is away is told of by all who work with it; one that refuses this alone by nobody else. */
  #failed(error: unknown): void {
    const { code, detail } = asFault(error, 'hearing of erasures')
    const now = this.#clock.monotonic()
    this.#failures += 1
    if (now - this.#toldAt < TELL_EVERY_MS) return
    this.#toldAt = now
    const message = 'erasures of personal values are not heard of: states in memory may still have them'
    this.#remarks.push({ level: 'warn', message, fields: { code, detail, attempts: this.#failures } })
  }

  /** Tries again for as long as it takes; undefined once it is not wanted any more. */
  async #untilDone<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T | undefined> {
    for (let wait = FIRST_WAIT_MS; !signal.aborted; wait = Math.min(LONGEST_WAIT_MS, 2 * wait))
      try {
        const done = await work()
        this.#failures = 0
        return done
      } catch (error) {
        this.#failed(error)
        await this.#clock.sleep(wait, signal).catch(() => undefined) // aborted: so the loop ends
      }
    return undefined
  }
}

const watches = new WeakMap<Connection, PersonalWatch>()

/** The watch that all units of this process share over this connection. */
export function personalWatchOf(connection: Connection, clock: Clock, replicas: number): PersonalWatch {
  let watch = watches.get(connection)
  if (watch === undefined) watches.set(connection, (watch = new PersonalWatch(connection, clock, replicas)))
  return watch
}
