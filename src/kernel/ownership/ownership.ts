// Ownership
//
// Members of a group, one in each process, share units. Each member reads the same log, works out the same assignment,
// and does its own part: it takes what is assigned to it and free, and gives back what is assigned to another.
//
//   GroupLog -> GroupView:    who lives, who can run what, who holds what
//   GroupView -> decide:      what this member has to do now
//   Ownership -> Holdings:    take, drain, lose
//   Holdings -> GroupLog:     the record of the unit, on condition that it is the next one
//
// Ownership says who should try. That a former owner stores nothing is the fence's part (claim, committer).
//
// Invariants (tests cite them):
//   O1  A unit runs only where its last record says so: the record is written before it starts and given back after it
//       has stopped. Ends at a member that was silent for a lease or has no connection, or at a unit that does not stop.
//   O2  A unit that a living member can run is run: at once after a member has left, a lease at most after one has died.
//   O3  A member that was taken for dead finds out by itself, stops what it has lost and is given units again.
//   O4  Numbers of units differ by one at most, and no more units move than that needs.
//   O5  Units of a paused processor are run by nobody until it is resumed, whoever comes or goes.
import type { Connection } from '../../broker/connection.js'
import { ensureOwnershipStream } from '../../broker/ownership-stream.js'
import type { MillraceError } from '../../error/millrace-error.js'
import { silentLog } from '../../observe/log.js'
import { decide } from './decide.js'
import { StreamGroupLog, type GroupLog } from './group-log.js'
import { GroupView } from './group-view.js'
import { Holdings } from './holdings.js'
import { Knocking } from './knocking.js'
import { MemberVoice, type Offered } from './member-voice.js'
import { requireName } from './messages.js'
import { requireUnits, type MembershipOptions, type OwnedUnit, type OwnershipCounts } from './ownership-options.js'
import { UnitRecords } from './unit-records.js'

export interface OwnershipOptions extends MembershipOptions {
  readonly connection: Connection
  /** What this process is called, such as host and process number. It is made unique. */
  readonly member: string
  /** Of the stream in which the members talk. */
  readonly replicas: number
}

const LEASE_MS = 3_000
const DRAIN_LIMIT_MS = 30_000
/** Before units move to a newcomer, for a moment, in case it does not come alone. */
const SETTLE_MS = 250

export class Ownership {
  /** Name of this member in its group, unlike any other before or after it. */
  readonly member: string
  readonly #options: MembershipOptions
  readonly #groupLog: GroupLog
  readonly #leaseMs: number
  readonly #voice: MemberVoice
  readonly #knocking: Knocking
  readonly #holdings: Holdings
  #units: ReadonlyMap<string, OwnedUnit>
  #view: GroupView
  #state: 'joining' | 'running' | 'leaving' | 'ended' = 'joining'
  /** The stream was lost: until others had time to say again what they hold, nothing else is taken. */
  #quietUntil = -Infinity
  #scheduled = false
  #cancelSettle: () => void = () => undefined
  #unfollow: () => void = () => undefined
  #onJoined: (error?: MillraceError) => void = () => undefined
  #stopping: Promise<void> | undefined

  /**
   * Joins a group: resolves when it is known who else lives. Units that are free are being taken by then; with nobody
   * else alive, all of them.
   * @throws OWNERSHIP_NAME_INVALID, STREAM_CHANGE_REFUSED and others of the broker
   */
  static async start(options: OwnershipOptions): Promise<Ownership> {
    const { connection, clock, group, member, replicas } = options
    requireName('group', group)
    const unique = connection.newInbox().slice(-8)
    const id = `${member.replaceAll(/[^A-Za-z0-9_-]/g, '-').slice(0, 100)}-${unique}`
    requireUnits(options.units)
    await ensureOwnershipStream(connection, replicas)
    return Ownership.join(id, new StreamGroupLog(connection, clock, group, replicas), options)
  }

  /** Joins a group that talks in `groupLog`, as `id`, which nobody else has or had. */
  static async join(id: string, groupLog: GroupLog, options: MembershipOptions): Promise<Ownership> {
    const ownership = new Ownership(id, groupLog, options)
    try {
      await ownership.#join()
    } catch (error) {
      ownership.#end()
      throw error
    }
    return ownership
  }

  private constructor(id: string, groupLog: GroupLog, options: MembershipOptions) {
    requireUnits(options.units)
    const { clock, log = silentLog, group, leaseMs = LEASE_MS, drainLimitMs = DRAIN_LIMIT_MS } = options
    this.member = id
    this.#options = options
    this.#groupLog = groupLog
    this.#leaseMs = leaseMs
    this.#units = new Map(options.units.map((unit) => [unit.id, unit]))
    this.#view = new GroupView(id, leaseMs)
    const onChange = (): void => this.#schedule()
    this.#holdings = new Holdings({
      member: id,
      clock,
      log,
      group,
      drainLimitMs,
      run: options.run,
      onFailure: options.onFailure,
      records: new UnitRecords(id, groupLog, () => this.#view, onChange),
      onChange,
      onRefused: () => this.#voice.offerAgain(),
    })
    const offer = (): Offered => ({ units: [...this.#runnable().values()], refused: this.#holdings.refused })
    this.#voice = new MemberVoice({ member: id, groupLog, clock, log, leaseMs, offer })
    this.#knocking = new Knocking({ member: id, groupLog, clock, log, view: () => this.#view })
  }

  /** Units that run here now. */
  get held(): readonly string[] {
    return this.#holdings.running
  }

  /** Members that live, this one among them. */
  get members(): readonly string[] {
    return this.#view.members.map(({ id }) => id)
  }

  get counts(): OwnershipCounts {
    return this.#holdings.counts
  }

  /**
   * Changes what this process can run: units that are not there any more are given back, those of another revision are
   * stopped and started anew, by whoever they are assigned to, and are tried again if they were refused.
   * @throws OWNERSHIP_NAME_INVALID
   */
  update(units: readonly OwnedUnit[]): void {
    requireUnits(units)
    const before = this.#units
    this.#units = new Map(units.map((unit) => [unit.id, unit]))
    for (const [id, { revision }] of before)
      if (!this.#units.has(id) || this.#units.get(id)?.revision !== revision) this.#holdings.replace(id)
    this.#voice.offerAgain()
    this.#schedule()
  }

  /**
   * Leaves the group: says so, stops every unit, all at once, and gives each back as soon as it has stopped. Resolves
   * when nothing runs here any more but what does not stop within its limit. Never rejects; what could not be said, the others find out after the lease.
   */
  stop(): Promise<void> {
    return (this.#stopping ??= this.#leave())
  }

  async #join(): Promise<void> {
    const joined = new Promise<void>((resolve, reject) => {
      this.#onJoined = (error) => (error === undefined ? resolve() : reject(error))
    })
    this.#unfollow = this.#groupLog.follow({
      onEntries: (entries) => {
        const before = this.#view.version
        const now = this.#options.clock.monotonic()
        for (const entry of entries) this.#view.apply(entry, now)
        if (this.#view.heardMyselfAt !== undefined) this.#onJoined()
        if (this.#view.version !== before) this.#schedule()
      },
      onReset: () => this.#reset(),
      onConnected: () => {
        this.#knocking.linked()
        this.#voice.speak()
        this.#holdings.linked()
      },
      onFailure: (error) => this.#fail(error),
    })
    await Promise.all([joined, this.#voice.start()])
    if (this.#state === 'joining') this.#state = 'running'
    this.#knocking.start()
    this.#schedule()
  }

  async #leave(): Promise<void> {
    if (this.#state === 'ended') return
    this.#state = 'leaving'
    await this.#voice.leave('leaving')
    await this.#holdings.drainAll()
    await this.#voice.leave('gone')
    this.#end()
  }

  /** Nothing is heard or said any more. */
  #end(): void {
    this.#state = 'ended'
    this.#unfollow()
    this.#cancelSettle()
    this.#knocking.stop()
    this.#voice.stop()
  }

  #fail(error: MillraceError): void {
    if (this.#state === 'ended') return
    const tell = this.#state === 'running'
    this.#onJoined(error)
    this.#end()
    void this.#holdings.drainAll().then(() => (tell ? this.#options.onEnd?.(error) : undefined))
  }

  #reset(): void {
    this.#view = new GroupView(this.member, this.#leaseMs)
    this.#holdings.forgetRecords()
    this.#quietUntil = this.#options.clock.monotonic() + this.#leaseMs
    this.#voice.offerAgain()
    this.#voice.speak()
  }

  #runnable(): Map<string, OwnedUnit> {
    return new Map([...this.#units].filter(([id]) => !this.#holdings.refused.has(id)))
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      const { heardMyselfAt } = this.#view
      if (this.#state !== 'ended' && heardMyselfAt !== undefined) this.#decide(heardMyselfAt)
    })
  }

  #decide(heardAt: number): void {
    const { clock } = this.#options
    const now = clock.monotonic()
    const settling = SETTLE_MS - (now - this.#view.joinedAt)
    this.#cancelSettle()
    if (settling > 0) this.#cancelSettle = clock.after(Math.ceil(settling), () => this.#schedule())
    const awake = this.#state === 'running' && this.#voice.state === 'running' && now - heardAt < this.#leaseMs
    const actions = decide(this.#view, {
      id: this.member,
      units: this.#runnable(),
      inHand: this.#holdings.inHand,
      takes: awake && now >= this.#quietUntil,
      evens: awake && settling <= 0,
    })
    for (const action of actions) this.#holdings.carryOut(action)
  }
}
