// A group of members on a simulated log, with units that record when they run, and a fence between them.
import { fault, type MillraceError } from '../../../src/error/millrace-error.ts'
import { Ownership } from '../../../src/kernel/ownership/ownership.ts'
import type { OwnedUnit } from '../../../src/kernel/ownership/ownership-options.ts'
import { chanceFrom, SimulatedLink, SimulatedStream, type Chance } from './simulated-log.ts'
import { VirtualClock } from './virtual-clock.ts'

/** From when to when a unit ran where. */
export interface Interval {
  readonly unit: string
  readonly member: string
  readonly from: number
  to: number
  readonly fence: () => void
}

export interface SimulatedMember {
  readonly name: string
  readonly link: SimulatedLink
  ownership: Ownership | undefined
  alive: boolean
}

export class Simulation {
  readonly clock = new VirtualClock()
  readonly chance: Chance
  readonly stream: SimulatedStream
  readonly members: SimulatedMember[] = []
  readonly intervals: Interval[] = []
  readonly failures: string[] = []
  /** How long a unit takes to stop. */
  stopMs: (unit: string) => number = () => 100 * this.chance()
  readonly #excuses: { readonly name: string | undefined; readonly from: number; readonly to: number }[] = []
  readonly #units: readonly OwnedUnit[]
  readonly #slowness: number

  constructor(seed: number, units: readonly OwnedUnit[], slowness = 20, lostAnswers = 0) {
    this.chance = chanceFrom(seed)
    this.stream = new SimulatedStream(this.clock, lostAnswers)
    this.#units = units
    this.#slowness = slowness
  }

  get living(): readonly SimulatedMember[] {
    return this.members.filter(({ alive }) => alive)
  }

  join(
    options: { run?: (unit: string) => MillraceError | undefined; units?: readonly OwnedUnit[] } = {},
  ): SimulatedMember {
    const name = `m${this.members.length}`
    const link = new SimulatedLink(this.stream, this.clock, this.chance, this.#slowness)
    const member: SimulatedMember = { name, link, ownership: undefined, alive: true }
    this.members.push(member)
    void this.#start(member, options)
    return member
  }

  async #start(member: SimulatedMember, options: Parameters<Simulation['join']>[0] = {}): Promise<void> {
    const { name, link } = member
    const clock = link.clock
    for (;;) {
      try {
        member.ownership = await Ownership.join(`${name}-${this.members.length}`, link, {
          clock,
          group: 'g',
          units: options.units ?? this.#units,
          drainLimitMs: 5_000,
          run: async (unit) => {
            await clock.sleep(50 * this.chance())
            const error = options.run?.(unit)
            if (error !== undefined) throw error
            if (!link.connected) throw fault('BROKER_UNREACHABLE', unit)
            return this.#run(member, unit)
          },
          onFailure: (unit, error) => this.failures.push(`${name} ${unit} ${error.code}`),
        })
        return
      } catch {
        await clock.sleep(500) // a process that could not start is started again
      }
    }
  }

  /** Takes what another ran under the fence, as a claim does: the former owner finds out a little later. */
  #run(member: SimulatedMember, unit: string): { stop: () => Promise<void>; ended: Promise<void> } {
    const clock = member.link.clock
    for (const other of this.intervals) if (other.unit === unit && other.to === Infinity) other.fence()
    let fenced = false
    let end: (error: MillraceError) => void = () => undefined
    const ended = new Promise<void>((_, reject) => (end = reject))
    const interval: Interval = {
      unit,
      member: member.name,
      from: this.clock.now(),
      to: Infinity,
      fence: () =>
        void clock.after(30 * this.chance(), () => {
          if (interval.to !== Infinity) return
          if (!member.link.connected) return interval.fence() // nobody tells it
          fenced = true
          interval.to = this.clock.now()
          end(fault('PROCESSOR_FENCED', unit))
        }),
    }
    this.intervals.push(interval)
    const stop = async (): Promise<void> => {
      await clock.sleep(this.stopMs(unit))
      if (fenced) throw fault('PROCESSOR_FENCED', unit)
      interval.to = this.clock.now()
    }
    return { stop, ended }
  }

  kill(member: SimulatedMember): void {
    member.alive = false
    member.link.kill()
    for (const interval of this.intervals)
      if (interval.member === member.name && interval.to === Infinity) Object.assign(interval, { to: this.clock.now() })
  }

  async leave(member: SimulatedMember): Promise<void> {
    member.alive = false
    while (member.ownership === undefined) await this.clock.sleep(50)
    await member.ownership.stop()
  }

  /** Others may take what this member (left out: any) runs, from now on for `forMs`. */
  excuse(forMs: number, member?: SimulatedMember): void {
    this.#excuses.push({ name: member?.name, from: this.clock.now(), to: this.clock.now() + forMs })
  }

  /** Units that ran in two places at once, neither of which was cut off, frozen or forgotten. */
  overlaps(): string[] {
    const excused = (member: string, at: number): boolean =>
      this.#excuses.some(({ name = member, from, to }) => name === member && from <= at && at <= to)
    const found: string[] = []
    const byUnit = new Map<string, Interval[]>()
    for (const interval of this.intervals) byUnit.set(interval.unit, [...(byUnit.get(interval.unit) ?? []), interval])
    for (const intervals of byUnit.values())
      for (const [at, one] of intervals.entries())
        for (const other of intervals.slice(at + 1))
          if (
            one.to > other.from &&
            other.to > one.from &&
            !excused(one.member, other.from) &&
            !excused(other.member, other.from)
          )
            found.push(`${one.unit}: ${one.member} ${one.from}–${one.to}, ${other.member} ${other.from}–${other.to}`)
    return found
  }

  /** Who runs each unit now. */
  running(): Map<string, string[]> {
    const now = new Map<string, string[]>(this.#units.map(({ id }) => [id, []]))
    for (const { unit, member, to } of this.intervals) if (to === Infinity) now.get(unit)?.push(member)
    return now
  }

  /** How many units each living member runs. */
  shares(): number[] {
    const running = [...this.running().values()].flat()
    return this.living.map(({ name }) => running.filter((member) => member === name).length)
  }
}
