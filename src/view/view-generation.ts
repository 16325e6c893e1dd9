// ViewGeneration
//
// The life of one version of a view, as its units tend it: it begins beside the live version, follows the log, takes
// over when it has come to its end, and removes what it has replaced.
//
//   none --begin--> current            the first version there is
//   none --begin--> next --> swapping --> current --replaced--> former --> gone
//
// Every step is one conditional write of the pointer, so that several units and processes may take it, and each crash
// leaves a state from which the next one goes on.
//
// Invariants (tests cite them):
//   VW4  Readers read one whole version: the pointer changes when the next one has come to an end of the stream that was
//       read after the change was announced.
//   VW5  Whoever has waited for a position in the live version finds it in the one that replaces it.
import { asFault } from '../broker/api-error.js'
import type { Connection } from '../broker/connection.js'
import type { StreamDeclaration } from '../broker/define-stream.js'
import { ensureBucket } from '../broker/history-bucket.js'
import { readStreamIdentity } from '../broker/stream-identity.js'
import { fault, isFault, type MillraceError } from '../error/millrace-error.js'
import type { Clock } from '../time/clock.js'
import { removeFormer } from './remove-former.js'
import type { ViewDeclaration } from './view-options.js'
import {
  ensurePointers,
  readPointer,
  storePointer,
  versionBucket,
  type FoundPointer,
  type ViewPlace,
  type ViewPointer,
} from './view-pointer.js'
import { hasReached } from './view-progress.js'

export interface ViewGenerationOptions {
  readonly connection: Connection
  readonly clock: Clock
  readonly view: ViewDeclaration
  readonly stream: StreamDeclaration
  readonly spread: 'keys' | 'one'
  readonly onBroken: (error: MillraceError) => void
  /** Called when the version is live: once, and again until it resolves. */
  readonly onLive?: () => Promise<void>
  /** Called when a version that was replaced is removed. */
  readonly onRemoved?: (version: number) => Promise<void>
}

/** How often a version that is made beside another one looks how far it is, and how often one that is live. In ms. */
const BUILDING_MS = 200
const LIVE_MS = 10_000
const ATTEMPTS = 50

export class ViewGeneration {
  readonly #options: ViewGenerationOptions
  readonly #place: ViewPlace
  #cancel: (() => void) | undefined
  #stopped = false
  #live = false

  constructor(options: ViewGenerationOptions) {
    const { view, spread } = options
    this.#options = options
    this.#place = {
      version: view.version,
      bucket: versionBucket(view.to.bucket, view.version),
      spread,
      types: view.from.events.map(({ type }) => type),
      ...(view.to.table === undefined ? {} : { table: view.to.table.name }),
    }
  }

  get bucket(): string {
    return this.#place.bucket
  }

  /** @throws VIEW_RETIRED, VIEW_PLACE_CHANGED, and errors of the broker */
  async begin(): Promise<void> {
    const { connection, stream, view } = this.#options
    await ensurePointers(connection, stream.replicas)
    await this.#refuseRetired()
    const description = `Millrace: rows of view ${view.name}, version ${view.version}`
    await ensureBucket(connection, { bucket: this.bucket, description, replicas: stream.replicas, history: 1 })
    await this.#change((found) => this.#announce(found))
    this.#look(BUILDING_MS)
  }

  stop(): void {
    this.#stopped = true
    this.#cancel?.()
  }

  /** Before a bucket is made that nobody would ever remove. */
  async #refuseRetired(): Promise<void> {
    const found = await readPointer(this.#options.connection, this.#options.view.name)
    if (found !== undefined) this.#announce(found.pointer)
  }

  /** @throws VIEW_RETIRED, VIEW_PLACE_CHANGED */
  #announce(found: ViewPointer | undefined): ViewPointer {
    const { view, stream } = this.#options
    const { name, root, partitions, aggregates = false } = stream
    const own = { view: view.name, stream: { name, root, partitions, aggregates } }
    if (found === undefined) return { ...own, current: this.#place, next: null, former: [] }
    const { current, next, former } = found
    const { version } = this.#place
    for (const one of [current, ...(next === null ? [] : [next])]) if (one.version === version) this.#requireSame(one)
    if (current.version === version) return { ...found, ...own, current: this.#place }
    if (next?.version === version) return { ...found, ...own, next: { ...next, ...this.#place } }
    if (former.some((one) => one.version === version)) return found
    if (version < current.version || version < (next?.version ?? 0))
      throw fault('VIEW_RETIRED', `${view.name}: version ${version}, there is ${next?.version ?? current.version}`)
    const left = next === null ? [] : [{ ...placeOf(next), until: 0 }]
    const made = { ...this.#place, target: Number.MAX_SAFE_INTEGER, swapping: false, floor: null }
    return { ...own, current, next: made, former: [...former, ...left] }
  }

  /** Its positions say what the rows hold that it has made: other rows would lack that. @throws VIEW_PLACE_CHANGED */
  #requireSame({ version, bucket, table }: ViewPlace): void {
    const [was, is] = [placeName({ bucket, table }), placeName(this.#place)]
    if (was === is) return
    throw fault('VIEW_PLACE_CHANGED', `${this.#options.view.name}, version ${version}: in ${was}, declared is ${is}`)
  }

  #look(wait: number): void {
    if (this.#stopped) return
    this.#cancel = this.#options.clock.after(wait, () => void this.#tend())
  }

  async #tend(): Promise<void> {
    try {
      const found = await readPointer(this.#options.connection, this.#options.view.name)
      const building = found?.pointer.next?.version === this.#place.version
      if (found !== undefined && building) await this.#advance(found)
      else if (found?.pointer.current.version === this.#place.version) await this.#clean(found)
      this.#look(building || !this.#live ? BUILDING_MS : LIVE_MS)
    } catch (error) {
      // nothing was done that the next look cannot go on with
      const known = asFault(error, `tending view ${this.#options.view.name}`)
      if (isFault(known, 'VIEW_POINTER_INVALID')) this.#options.onBroken(known)
      else this.#look(BUILDING_MS)
    }
  }

  /** VW4, VW5 */
  async #advance({ pointer, revision }: FoundPointer): Promise<void> {
    const { connection, clock, view } = this.#options
    const { next, current, former, stream } = pointer
    if (next === null) return
    if (next.swapping && next.floor !== null) {
      if (!(await hasReached(connection, pointer, next, next.floor))) return
      const until = clock.now() + view.keepFormer
      const replaced = { ...pointer, current: placeOf(next), next: null, former: [...former, { ...current, until }] }
      await storePointer(connection, replaced, revision)
      return
    }
    const { last } = await readStreamIdentity(connection, stream.name)
    if (next.swapping) await storePointer(connection, { ...pointer, next: { ...next, floor: last } }, revision)
    else {
      const swapping = await hasReached(connection, pointer, next, next.target)
      await storePointer(connection, { ...pointer, next: { ...next, target: last, swapping } }, revision)
    }
  }

  async #clean({ pointer }: FoundPointer): Promise<void> {
    const { connection, clock, onLive, onRemoved } = this.#options
    if (!this.#live) await onLive?.()
    this.#live = true
    for (const former of pointer.former) {
      if (former.until > clock.now()) continue
      await removeFormer(connection, pointer, former)
      const { version } = former
      await onRemoved?.(version)
      await this.#change((found) =>
        found === undefined ? pointer : { ...found, former: found.former.filter((one) => one.version !== version) },
      )
    }
  }

  /** Changes the pointer, whoever else does. */
  async #change(to: (found: ViewPointer | undefined) => ViewPointer): Promise<void> {
    const { connection, view } = this.#options
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const found = await readPointer(connection, view.name)
      const changed = to(found?.pointer)
      if (JSON.stringify(changed) === JSON.stringify(found?.pointer)) return
      if ((await storePointer(connection, changed, found?.revision ?? 0)) !== undefined) return
    }
    throw fault('BROKER_NOT_READY', `${view.name}: its pointer changes all the time`)
  }
}

function placeName({ bucket, table }: Pick<ViewPlace, 'bucket' | 'table'>): string {
  return table === undefined ? `bucket ${bucket}` : `bucket ${bucket} and table ${table}`
}

function placeOf({ version, bucket, spread, types, table }: ViewPlace): ViewPlace {
  return { version, bucket, spread, types, ...(table === undefined ? {} : { table }) }
}
