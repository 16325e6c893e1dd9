// KeyStore
//
// What was done under a key, in a bucket that forgets it after a while: whoever begins writes that first, so that of many
// with the same key one does the work.
//
// Invariants (tests cite them):
//   ID1  Of those with the same key one works at a time; whoever dies in the middle is followed when his lease is over.
//   ID2  What was done is not done again while it is remembered; a repetition has the first result.
import { createHash } from 'node:crypto'
import type { Connection } from '../../broker/connection.js'
import { ensureBucket, writeBucket } from '../../broker/history-bucket.js'
import { readLast } from '../../broker/last-message.js'
import { newId } from '../../broker/new-id.js'
import type { Clock } from '../../time/clock.js'
import { decideKey, type KeyDecision, type KeyState } from './decide-key.js'

export const KEY_BUCKET = 'millrace_once'

export interface KeyStoreOptions {
  readonly connection: Connection
  readonly clock: Clock
  /** What keys are of: those of another scope are others. */
  readonly scope: string
  /** How long what was done is remembered, in ms. */
  readonly ttl: number
  /** How long whoever is at it counts as alive, in ms. */
  readonly lease: number
}

/** A key that may be worked under. */
export interface HeldKey {
  readonly name: string
  readonly revision: number
  readonly state: Extract<KeyState, { kind: 'running' }>
}

export type KeyBegin = { readonly kind: 'begin'; readonly held: HeldKey } | Exclude<KeyDecision, { kind: 'begin' }>

export class KeyStore {
  readonly #options: KeyStoreOptions
  readonly #owner = newId()

  constructor(options: KeyStoreOptions) {
    this.#options = options
  }

  /** Makes the bucket. @throws errors of the broker */
  async prepare(replicas: number): Promise<void> {
    const description = 'What was done under which key, for as long as it is remembered'
    const bucket = { bucket: KEY_BUCKET, description, replicas, history: 1, erasable: true, expires: true }
    await ensureBucket(this.#options.connection, bucket)
  }

  /** Begins under a key, or says why not. @throws errors of the broker */
  async begin(key: string, fingerprint = ''): Promise<KeyBegin> {
    const { connection, clock, lease } = this.#options
    const name = this.#nameOf(key)
    for (;;) {
      const last = await readLast(connection, `KV_${KEY_BUCKET}`, `$KV.${KEY_BUCKET}.${name}`)
      const known = last === undefined || last.data.length === 0 ? undefined : parse(last.data)
      const decision = decideKey(known, { fingerprint, owner: this.#owner, lease, now: clock.now() })
      if (decision.kind !== 'begin') return decision
      const revision = await this.#write(name, decision.state, last?.sequence ?? 0)
      if (revision !== undefined) return { kind: 'begin', held: { name, revision, state: decision.state } }
    }
  }

  /**
   * Remembers what was done.
   * @param result plain JSON data
   * @returns false: the lease was over, and somebody else is at it or has done it
   * @throws errors of the broker
   */
  async finish({ name, revision, state }: HeldKey, result: unknown): Promise<boolean> {
    const done: KeyState = { kind: 'done', fingerprint: state.fingerprint, result: result ?? null }
    return (await this.#write(name, done, revision)) !== undefined
  }

  /** Lets go of a key under which nothing was done. @throws errors of the broker */
  async release({ name, revision }: HeldKey): Promise<void> {
    await writeBucket(this.#options.connection, KEY_BUCKET, {
      key: name,
      data: undefined,
      expected: revision,
      headers: [['Nats-TTL', this.#ttl]],
    })
  }

  get #ttl(): string {
    return `${Math.max(1, Math.ceil(this.#options.ttl / 1_000))}s`
  }

  #write(name: string, state: KeyState, expected: number): Promise<number | undefined> {
    const data = Buffer.from(JSON.stringify(state))
    const headers = [['Nats-TTL', this.#ttl]] as const
    return writeBucket(this.#options.connection, KEY_BUCKET, { key: name, data, expected, headers })
  }

  #nameOf(key: string): string {
    const text = `${this.#options.scope.length} ${this.#options.scope} ${key}`
    return createHash('sha256').update(text).digest('hex')
  }
}

/** Undefined for what nobody of ours has written. */
function parse(data: Uint8Array): KeyState | undefined {
  try {
    const state = JSON.parse(Buffer.from(data).toString()) as KeyState
    return state.kind === 'running' || state.kind === 'done' ? state : undefined
  } catch {
    return undefined
  }
}
