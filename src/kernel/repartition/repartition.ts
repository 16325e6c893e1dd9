// Repartition
//
// Changes the number of partitions of a stream while events go on being published. A key is in another partition
// afterwards, and with it what is known of it: so the units of every processor that reads the stream first handle what
// was stored before, then the units of the new number take their state over.
//
//   1  begun      a note in the stream; processors pause, and their units are held: nobody else gets them
//   2  drained    what is stored is handled; only what comes while the number changes is left to be handled after it
//   3  switched   the stream uses the new number; a second note is the cut: after it, no event is in an old place
//   4  drained    what was stored up to the cut is handled: by key, wherever it is
//   5  moved      each processor’s state goes to its new units, in one batch with the records of all of them
//   6  done       processors go on
//
// Invariants (tests cite them):
//   RP3  Ended at any moment and run again, it comes to its end as if it had not been ended; ended before the stream
//        changes, it can be taken back as well.
//   RP4  Each event leads to its outputs once, and those of a key in their order, across every change.
//   RP5  What was ever refused is refused before anything is changed, but for what comes while the number changes.
import { changePartitioning } from '../../broker/partitioning.js'
import { readStreamIdentity } from '../../broker/stream-identity.js'
import { fault, isFault, messageOf } from '../../error/millrace-error.js'
import { resume } from '../ownership/pause.js'
import { partitionsOf } from '../processor.js'
import type { Segment } from '../read-plan.js'
import { idsOf } from './affected.js'
import { pauseAll, pausedBefore, requireIdle, untilCalm } from './calm.js'
import { drainAll } from './drain-all.js'
import { inTurns } from './in-turns.js'
import { inspect, requireAsDeclared, requireKeysInPlace, requireMovable } from './inspect.js'
import { moveProcessor } from './move-processor.js'
import { moveTimers } from './move-timers.js'
import { writeNote, type PartitionsNote, type StoredNote } from './partitions-note.js'
import { hasStragglers } from './places.js'
import type { RepartitionOptions, RepartitionPlan, RepartitionReport, RepartitionStep } from './repartition-options.js'
import { readSituation, type Situation } from './situation.js'
import { tidyUnits } from './tidy-units.js'
import { holdUnit, letUnitGo } from './unit-records.js'

/**
 * What a repartition would do, changing nothing.
 * @throws what speaks against it: see `repartition`
 */
export async function planRepartition(options: RepartitionOptions): Promise<RepartitionPlan> {
  const situation = await readSituation(options)
  const { state, from, to, affected } = situation
  const inspected = await inspect(options, situation)
  requireAsDeclared(inspected)
  if (state === 'new') await requireMovable(options, situation, inspected)
  const processors = inspected.map(({ planned }) => planned)
  const held = idsOf({ movers: [], writers: affected.writers })
  return { stream: options.stream.name, from, to, state, processors, held }
}

/**
 * Changes the number of partitions of a stream, or goes on with a change that was ended. Processors stand still from some
 * moment until it is done; publishers do not.
 * @throws REPARTITION_UNDERWAY, REPARTITION_UNSUPPORTED, REPARTITION_READER_UNKNOWN, REPARTITION_OTHER_VERSION,
 *   REPARTITION_KEYS_ASTRAY, REPARTITION_SLOTS_LIVE, REPARTITION_NOT_PAUSED, REPARTITION_PROCESSOR_FAILED, the signal’s
 *   reason; errors of the broker, after which it is to be run again
 */
export async function repartition(options: RepartitionOptions): Promise<RepartitionReport> {
  const situation = await readSituation(options)
  const { state, note, from, to } = situation
  const report = { stream: options.stream.name, from, to, cut: note?.history ?? 0, moved: [] }
  const work = new Repartition(options, situation)
  if (state === 'nothing') {
    await work.letAllGo()
    return { ...report, outcome: 'nothing' }
  }
  if (state === 'begun' && to === from) {
    await work.takeBack()
    return { ...report, outcome: 'taken-back' }
  }
  return work.run()
}

/** How long to wait for what a replica that has just become the leader may still store in old places, in ms. */
const SETTLE_MS = 2_000
const SETTLES = 10

class Repartition {
  readonly #options: RepartitionOptions
  readonly #situation: Situation
  #note: StoredNote | undefined

  constructor(options: RepartitionOptions, situation: Situation) {
    this.#options = options
    this.#situation = situation
    this.#note = situation.note
  }

  async run(): Promise<RepartitionReport> {
    const { state, deployed, from } = this.#situation
    if (state === 'new') await this.#begin()
    // else it was ended between the change and the note of it
    if (state !== 'switched' && deployed === from) await this.#prepare()
    if (state !== 'switched') await this.#switch()
    return this.#finish()
  }

  /** Everything goes on as it was. */
  async takeBack(): Promise<void> {
    const { from } = this.#situation
    await this.#write({}) // it is still ours
    await this.letAllGo()
    await this.#resume()
    await this.#write({ phase: 'done', to: from, cut: this.#noted.before })
    this.#options.onProgress?.({ kind: 'taken-back' })
  }

  /** Units that are held go on, whoever has left them so. */
  async letAllGo(): Promise<void> {
    const { movers, writers } = this.#situation.affected
    for (const processor of [...movers.map(({ before }) => before), ...writers])
      await inTurns(partitionsOf(processor), (unit) => letUnitGo(this.#options.connection, processor, unit))
  }

  async #begin(): Promise<void> {
    const { group } = this.#options
    const { note, from, to, affected } = this.#situation
    const inspected = await inspect(this.#options, this.#situation)
    requireAsDeclared(inspected)
    await requireMovable(this.#options, this.#situation, inspected)
    await changePartitioning(this.#options.connection, this.#options.stream, from) // that it may, not later
    await untilCalm(this.#options, this.#situation)
    const already = new Set(await pausedBefore(this.#options, this.#situation))
    const paused = idsOf(affected).filter((id) => !already.has(id))
    const before = note?.history ?? 0
    await this.#write({ from, to, phase: 'begun', begun: null, cut: null, before, paused, group })
  }

  /** All that can go wrong is tried before the stream changes; what does, is taken back. */
  async #prepare(): Promise<void> {
    try {
      await this.#between('begun')
      await this.#hold()
      const { last } = await readStreamIdentity(this.#options.connection, this.#options.stream.name)
      await this.#drain([...this.#history(), { until: last, by: 'subject' }])
      await this.#between('drained')
      const inspected = await inspect(this.#options, this.#situation)
      requireIdle(inspected)
      await requireKeysInPlace(this.#options, inspected)
      await this.#write({ begun: last })
      await this.#between('ready')
    } catch (error) {
      if (isRefusal(error)) await this.takeBack()
      throw error
    }
  }

  async #switch(): Promise<void> {
    const { connection, stream, clock } = this.#options
    const { deployed, from, to } = this.#situation
    if (deployed !== to) await changePartitioning(connection, stream, to)
    await this.#between('changed')
    let note = await this.#write({ phase: 'switched' })
    for (let settle = 0; stream.replicas > 1 && settle < SETTLES; settle += 1) {
      await clock.sleep(SETTLE_MS)
      if (!(await hasStragglers(this.#options, { after: note.sequence, from, to }))) break
      note = await this.#write({})
    }
    this.#options.onProgress?.({ kind: 'switched', cut: note.sequence })
    await this.#between('switched')
  }

  async #finish(): Promise<RepartitionReport> {
    const { connection, clock, owner, cut: emptied, stream } = this.#options
    const { affected, from, to } = this.#situation
    const { history: cut, begun, before } = this.#noted
    await this.#write({ cut })
    await this.#hold()
    await moveTimers(this.#options, this.#situation)
    await this.#drain([...this.#history(), { until: begun ?? before, by: 'subject' }, { until: cut, by: 'key' }], cut)
    await this.#between('drained-again')
    const moved: RepartitionReport['moved'][number][] = []
    for (const mover of affected.movers) {
      const options = { connection, clock, owner, cut, emptied: emptied.has(mover.id) }
      const result = await moveProcessor(mover, options)
      if (result === undefined) continue
      moved.push({ processor: mover.id, ...result })
      this.#options.onProgress?.({ kind: 'moved', processor: mover.id, ...result })
      await this.#between('moved')
    }
    for (const mover of affected.movers) await tidyUnits(connection, mover)
    await this.#write({}) // nobody else has begun another change
    for (const writer of affected.writers)
      await inTurns(partitionsOf(writer), (unit) => letUnitGo(connection, writer, unit))
    await this.#between('tidied')
    await this.#resume()
    await this.#between('resumed')
    await this.#write({ phase: 'done' })
    return { outcome: 'done', stream: stream.name, from, to, cut, moved }
  }

  async #hold(): Promise<void> {
    const { connection, owner } = this.#options
    const { affected, to } = this.#situation
    await pauseAll(this.#options, this.#situation)
    await this.#between('paused')
    await this.#write({}) // it is still ours
    for (const processor of [...affected.movers.map(({ before }) => before), ...affected.writers])
      await inTurns(partitionsOf(processor), (unit) => holdUnit(connection, processor, unit, { to, owner }))
    await this.#between('held')
  }

  async #drain(segments: readonly Segment[], cut?: number): Promise<void> {
    try {
      await drainAll(this.#options, this.#situation, segments, cut)
    } catch (error) {
      if (isFault(error) && (error.disposition === 'retry' || error.code.startsWith('REPARTITION_'))) throw error
      if (this.#options.signal?.aborted === true) throw error
      throw fault('REPARTITION_PROCESSOR_FAILED', messageOf(error), { cause: error })
    }
  }

  async #resume(): Promise<void> {
    const { connection, stream, onProgress } = this.#options
    const { paused, group } = this.#noted
    for (const id of paused) await resume(connection, group, id, { replicas: stream.replicas })
    onProgress?.({ kind: 'resumed', processors: paused })
  }

  get #noted(): StoredNote {
    if (this.#note === undefined) throw fault('INTERNAL', 'a repartition that has not begun')
    return this.#note
  }

  /** What an earlier change has left in old places. */
  #history(): readonly Segment[] {
    const { before } = this.#noted
    return before === 0 ? [] : [{ until: before, by: 'key' }]
  }

  /** @throws REPARTITION_UNDERWAY somebody else has written a note since */
  async #write(changes: Partial<PartitionsNote>): Promise<StoredNote> {
    const { connection, stream } = this.#options
    const { sequence = 0, history: _history, ...note } = { ...this.#note, ...changes } as Partial<StoredNote>
    return (this.#note = await writeNote(connection, stream.name, note as PartitionsNote, sequence))
  }

  async #between(step: RepartitionStep): Promise<void> {
    this.#options.signal?.throwIfAborted()
    await this.#options.between?.(step)
  }
}

/** Not an interruption of the way to the server, after which nobody knows what is stored. */
function isRefusal(error: unknown): boolean {
  return isFault(error) && error.disposition !== 'retry'
}
