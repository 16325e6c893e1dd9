import { isFault } from '../../error/millrace-error.js'
import type { GroupLog } from './group-log.js'
import { ownerIn, type GroupView } from './group-view.js'

/**
 * Writes and reads the records that say who holds which unit. Each write is on condition that the record is the one that
 * was seen; what a refused write teaches goes into the view.
 */
export class UnitRecords {
  readonly #member: string
  readonly #log: GroupLog
  readonly #view: () => GroupView
  readonly #onChange: () => void

  constructor(member: string, log: GroupLog, view: () => GroupView, onChange: () => void) {
    this.#member = member
    this.#log = log
    this.#view = view
    this.#onChange = onChange
  }

  /**
   * Says that this member holds a unit; resolves with the sequence of the record that says so, undefined when another
   * was first; 0 when the stream was made anew meanwhile. @throws errors of the broker; it may be stored then, or be
   * stored in a moment
   */
  async take(unit: string, expected: number): Promise<number | undefined> {
    const view = this.#view()
    const sequence = await this.#write(view, unit, this.#member, expected)
    if (view !== this.#view()) return 0
    if (sequence !== undefined) return sequence
    // an earlier attempt whose outcome was not known may have been stored
    const record = view.records.get(unit)
    return record?.owner === this.#member ? record.sequence : undefined
  }

  /** Says that nobody holds a unit; resolves with false when another does already. @throws errors of the broker */
  async giveBack(unit: string, expected: number): Promise<boolean> {
    for (let sequence = expected; ;) {
      const view = this.#view()
      if ((await this.#write(view, unit, null, sequence)) !== undefined) return true
      const record = view.records.get(unit)
      if (record === undefined || record.owner === null) return true
      if (record.owner !== this.#member) return false
      sequence = record.sequence // of a write of its own whose outcome was not known
    }
  }

  /** Who holds a unit as the stream’s leader has it, in case the view lags behind. @throws errors of the broker */
  ownerOf(unit: string): Promise<string | null> {
    return this.#read(this.#view(), unit)
  }

  // Sequences mean something in one stream only: what comes late goes into the view that it was asked for.

  async #read(view: GroupView, unit: string): Promise<string | null> {
    const last = await this.#log.last('unit', unit)
    if (last === undefined) view.forget(unit)
    else view.applyRecord(unit, last)
    this.#onChange()
    return last === undefined ? null : ownerIn(last)
  }

  async #write(view: GroupView, unit: string, owner: string | null, expected: number): Promise<number | undefined> {
    try {
      const sequence = await this.#log.write('unit', unit, { owner }, { expected })
      view.record(unit, { owner, sequence })
      this.#onChange()
      return sequence
    } catch (error) {
      if (!isFault(error, 'SEQUENCE_CONFLICT')) throw error
      await this.#read(view, unit)
      return undefined
    }
  }
}
